-- Figures of a past moment: what is stored now, less what came since, plus what has been replaced since.
-- `ioc.reading.past` puts feeds, measures and days where the braces are. Temporary tables bear the names that
-- `ioc.recompute.figure_sql` reads.

-- name: select_reach
SELECT since, clock_timestamp() FROM history_start

-- name: select_since
SELECT since FROM history_start

-- name: begin
SELECT set_config('ioc.as_of', %(moment)s, true), set_config('search_path', 'as_of, public', true)

-- name: create_ground
CREATE TEMPORARY TABLE chain ON COMMIT DROP AS
WITH RECURSIVE up (origin_id, area_id, parent_id) AS (
    SELECT area_id, area_id, parent_id FROM area
    UNION ALL
    SELECT up.origin_id, a.area_id, a.parent_id FROM up JOIN area a ON a.area_id = up.parent_id
)
SELECT origin_id, area_id FROM up;
CREATE INDEX ON chain (origin_id);
CREATE TEMPORARY TABLE period ON COMMIT DROP AS
SELECT * FROM (VALUES ('day', interval '1 day'), ('week', interval '7 days'), ('month', interval '1 month'),
                      ('quarter', interval '3 months'), ('year', interval '1 year')) AS p (period, length)
WHERE period = ANY({periods});
CREATE TEMPORARY TABLE day_figure (code text, area_id integer, day date, figure double precision) ON COMMIT DROP;
CREATE TEMPORARY TABLE key (
    period text, area_id integer, bucket date, asked boolean, wanted boolean, valid_from date, valid_to date,
    first_period date, last_period date, first_ytd date, last_ytd date, first_year date, last_year date
) ON COMMIT DROP;
ANALYZE chain;
ANALYZE period

-- name: copy_keys
COPY key FROM STDIN

-- name: create_days
CREATE TEMPORARY TABLE {day} ON COMMIT DROP AS
SELECT area_id, day{totals} FROM (
    SELECT c.area_id, c.bucket AS day{stored} FROM public.measure_cell c
    WHERE c.feed_id = {feed_id} AND c.period = 'day' AND c.bucket BETWEEN {first} AND {last}
    UNION ALL
    SELECT a.parent_id, c.bucket{below} FROM public.measure_cell c JOIN area a USING (area_id)
    WHERE c.feed_id = {feed_id} AND c.period = 'day' AND c.bucket BETWEEN {first} AND {last} AND a.parent_id IS NOT NULL
    UNION ALL
    SELECT area_id, day{same} FROM ({waiting}) waiting
    UNION ALL
    SELECT area_id, day{stored_sums} FROM (
        SELECT d.area_id, d.bucket AS day{delta} FROM public.measure_delta d
        WHERE d.feed_id = {feed_id} AND d.placed AND d.bucket BETWEEN {first} AND {last}
    ) placed
    UNION ALL
    SELECT area_id, day{same} FROM ({replaced}) replaced
    UNION ALL
    SELECT area_id, day{negative} FROM ({since}) since
) part GROUP BY 1, 2;
CREATE INDEX ON {day} (area_id, day)

-- name: named_days
-- What records add to the days of the areas that they name: the steps of the reports in force, what waits, and what came
-- since or has been replaced since.
SELECT c.area_id, c.bucket AS day{stored} FROM public.measure_cell c
WHERE c.feed_id = {feed_id} AND c.period = 'own_reported' AND c.bucket <= {last}
WINDOW w AS (PARTITION BY c.area_id ORDER BY c.bucket)
UNION ALL
SELECT d.area_id, d.bucket AS day{waiting} FROM public.measure_delta d WHERE d.feed_id = {feed_id} AND d.bucket <= {last}
UNION ALL
SELECT area_id, day{same} FROM ({replaced}) replaced
UNION ALL
SELECT area_id, day{negative} FROM ({since}) since

-- name: changed_on
, (coalesce(c.sums[{slot}], 0) - lag(coalesce(c.sums[{slot}], 0), 1, 0::bigint) OVER w)::numeric AS {name}

-- name: stored
, coalesce(c.sums[{slot}], 0)::numeric AS {name}

-- name: below
, -coalesce(c.sums[{slot}], 0)::numeric AS {name}

-- name: below_nothing
, 0::numeric AS {name}

-- name: delta
, coalesce(d.sums[{slot}], 0)::numeric AS {name}

-- name: same
, {name}

-- name: negative
, -{name}

-- name: waiting_day_sums
SELECT d.area_id, d.bucket AS day{delta} FROM public.measure_delta d
WHERE d.feed_id = {feed_id} AND NOT d.placed AND d.bucket BETWEEN {first} AND {last}

-- name: came_since
(SELECT * FROM public.{table} WHERE recorded_at > as_of.moment()) AS came_since

-- name: create_cells
CREATE TEMPORARY TABLE {cell} ON COMMIT DROP AS
SELECT p.period, c.area_id, date_trunc(p.period, d.day)::date AS bucket{sums}
FROM {day} d JOIN chain c ON c.origin_id = d.area_id CROSS JOIN period p
WHERE c.area_id = ANY({areas}) GROUP BY 1, 2, 3;
CREATE INDEX ON {cell} (period, area_id, bucket)

-- name: create_members
CREATE TEMPORARY TABLE {spoken} ON COMMIT DROP AS
SELECT slot, area_id, day, member FROM (
    SELECT w.slot, c.area_id, w.day, w.member, w.n FROM (
        SELECT m.slot, d.area_id, d.bucket AS day, d.member, d.n
        FROM public.distinct_member d JOIN unnest({measures}, {slots}) AS m (measure_id, slot) USING (measure_id)
        WHERE d.bucket BETWEEN {first} AND {last}
        UNION ALL
        SELECT m.slot, CASE WHEN d.placed THEN d.area_id ELSE a.unit_id END AS area_id, d.bucket AS day, d.member, d.n
        FROM public.member_delta d JOIN unnest({measures}, {slots}) AS m (measure_id, slot) USING (measure_id)
        JOIN area_placement a ON a.area_id = d.area_id AND d.bucket >= a.since AND d.bucket < a.until
        WHERE d.bucket BETWEEN {first} AND {last}
        UNION ALL
        SELECT r.slot, a.unit_id, r.day, md5(r.member)::uuid, 1
        FROM ({replaced}) r JOIN area_placement a ON a.area_id = r.area_id AND r.day >= a.since AND r.day < a.until
        UNION ALL
        SELECT s.slot, a.unit_id, s.day, md5(s.member)::uuid, -1
        FROM ({since}) s JOIN area_placement a ON a.area_id = s.area_id AND s.day >= a.since AND s.day < a.until
    ) w JOIN chain c ON c.origin_id = w.area_id WHERE c.area_id = ANY({areas})
) spoken GROUP BY 1, 2, 3, 4 HAVING sum(n) > 0;
CREATE TEMPORARY TABLE {member} ON COMMIT DROP AS
SELECT m.slot, p.period, m.area_id, date_trunc(p.period, m.day)::date AS bucket, count(DISTINCT m.member) AS n
FROM {spoken} m CROSS JOIN period p GROUP BY 1, 2, 3, 4;
CREATE INDEX ON {member} (slot, period, area_id, bucket)

-- name: create_first_days
CREATE TEMPORARY TABLE {first} ON COMMIT DROP AS
SELECT slot, area_id, day, count(*) AS n FROM (
    SELECT slot, area_id, member, min(day) AS day FROM {spoken} GROUP BY slot, area_id, member, date_trunc('year', day)
) begun GROUP BY 1, 2, 3;
CREATE INDEX ON {first} (slot, area_id, day)

-- name: create_open
CREATE TEMPORARY TABLE {open} ON COMMIT DROP AS
SELECT DISTINCT p.period, date_trunc(p.period, o.day)::date AS bucket
FROM open_day o CROSS JOIN period p WHERE o.feed_id = {feed_id}

-- name: select_figures
SELECT f.code, key.area_id, key.bucket, f.figure
FROM key {joins} CROSS JOIN LATERAL (VALUES {pairs}) AS f (code, figure)
WHERE key.asked AND f.figure IS NOT NULL

-- name: changes
-- What came since of records that count in a cell, or did; and by how much all of them moved each sum.
WITH step AS MATERIALIZED ({steps}), page AS (
    SELECT * FROM step ORDER BY changed_at DESC, feed, key LIMIT %(limit)s OFFSET %(offset)s
), moved AS (
    SELECT step.feed, b.at - 1 AS at, sum((step.after ->> (b.at - 1)::int)::numeric - b.amount::numeric) AS by
    FROM step CROSS JOIN LATERAL jsonb_array_elements_text(step.before) WITH ORDINALITY AS b (amount, at) GROUP BY 1, 2
)
SELECT (SELECT count(*) FROM step) AS total,
       coalesce((SELECT jsonb_object_agg(what, n) FROM (SELECT what, count(*) AS n FROM step GROUP BY 1) c), '{{}}') AS counts,
       coalesce((SELECT jsonb_agg(m ORDER BY feed, at) FROM moved m WHERE by <> 0), '[]') AS moved,
       coalesce((SELECT jsonb_agg(p ORDER BY changed_at DESC, feed, key) FROM page p), '[]') AS page

-- name: changes_of_feed
(SELECT {feed} AS feed, coalesce(n.key, t.key) AS key, coalesce(n.record_key, t.record_key) AS record_key,
        coalesce(n.reporter, t.reporter) AS reporter, n.revision,
        coalesce(n.recorded_at, (SELECT max(h.recorded_at) FROM public.record_revision h
                                 WHERE h.key = t.key AND NOT h.superseded)) AS changed_at,
        CASE WHEN t.key IS NULL THEN 'new' WHEN n.key IS NULL THEN 'voided' ELSE 'changed' END AS what,
        coalesce(t.amounts, {nothing}) AS before, coalesce(n.amounts, {nothing}) AS after
 FROM (SELECT key, record_key, reporter, revision, recorded_at, jsonb_build_array({amounts}) AS amounts
       FROM public.{table} WHERE recorded_at > as_of.moment()) n
 FULL JOIN (SELECT key, record_key, reporter, jsonb_build_array({amounts}) AS amounts FROM as_of.{replaced}) t USING (key)
 WHERE coalesce(t.amounts, {nothing}) <> coalesce(n.amounts, {nothing}))

-- name: nothing
jsonb_build_array({zeros})

-- name: select_now
SELECT i.version, c.figures[i.slot] AS value, c.updated_at
FROM public.indicator i
LEFT JOIN public.indicator_cell c ON c.sector = i.sector AND c.area_id = %(area_id)s AND c.period = %(period)s
 AND c.bucket = %(bucket)s
WHERE i.code = %(code)s AND i.live

-- name: count_register_changes
SELECT count(*) FROM public.row_version v JOIN feed f ON f.feed_id = (v.content ->> 'feed_id')::smallint
WHERE v.table_name = 'reporter' AND v.changed_at > as_of.moment() AND f.key = ANY(%(feeds)s)

-- name: select_status
SELECT status, changed_at AS since, settlement, reported, due FROM public.indicator_status_change
WHERE code = %(code)s AND area_id = %(area_id)s AND changed_at <= as_of.moment() ORDER BY changed_at DESC LIMIT 1

-- name: select_versions
SELECT code, version FROM indicator WHERE sector = %s AND live

-- name: create_stored
-- While these are there, they are read instead of the stored ones.
CREATE TEMPORARY TABLE measure_cell (
    feed_id smallint, period text, area_id integer, bucket date, sums bigint[]
) ON COMMIT DROP;
CREATE INDEX ON measure_cell (feed_id, period, area_id, bucket);
CREATE TEMPORARY TABLE distinct_member (
    measure_id integer, area_id integer, bucket date, member uuid, n integer
) ON COMMIT DROP;
CREATE INDEX ON distinct_member (measure_id, area_id, bucket)

-- name: insert_sums
INSERT INTO measure_cell
SELECT {feed_id}, period, area_id, bucket, ARRAY[{sums}]::bigint[] FROM {cell} WHERE {anything}

-- name: insert_sums_and_members
INSERT INTO measure_cell
SELECT {feed_id}, period, area_id, bucket, ARRAY[{sums}]::bigint[]
FROM {cell} FULL JOIN ({members}) members USING (period, area_id, bucket) WHERE {anything}

-- name: members_by_slot
SELECT period, area_id, bucket{pivot} FROM {member} GROUP BY 1, 2, 3

-- name: members_of_slot
, sum(n) FILTER (WHERE slot = {number}) AS {slot}

-- name: not_nothing
{slot} <> 0

-- name: insert_members
INSERT INTO distinct_member
SELECT m.measure_id, s.area_id, s.day, s.member, 1
FROM {spoken} s JOIN unnest({measures}, {slots}) AS m (measure_id, slot) USING (slot)

-- name: insert_closing
INSERT INTO measure_cell
SELECT {feed_id}, 'closing', area_id, day, ARRAY[{sums}]::bigint[] FROM (
    SELECT area_id, day{running} FROM (
        SELECT c.area_id, greatest(d.day, c.since) AS day, {totals}
        FROM {day} d JOIN area_carry_over c ON c.origin_id = d.area_id
        WHERE c.area_id = ANY({areas}) GROUP BY 1, 2
    ) changed WINDOW w AS (PARTITION BY area_id ORDER BY day)
) running

-- name: running_sum
, sum({slot}) OVER w AS {slot}

-- name: insert_carried
INSERT INTO measure_cell
SELECT {feed_id}, 'carried', w.area_id, w.day, ARRAY[{sums}]::bigint[]
FROM (SELECT DISTINCT area_id, day FROM {level} WHERE area_id = ANY({areas})) w
{last}

-- name: last_level
LEFT JOIN LATERAL (
    SELECT amount, reports FROM {level} l
    WHERE l.pair = {number} AND l.area_id = w.area_id AND l.day <= w.day
    ORDER BY l.day DESC LIMIT 1
) {alias} ON true

-- name: of_last_level
coalesce({alias}.{column}, 0)

-- name: select_storage
SELECT {name} AS table, count(*) AS rows, min({column}) AS first,
       CASE WHEN EXISTS (SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = {name})
            THEN hypertable_size({name}::regclass) ELSE pg_total_relation_size({name}::regclass) END AS bytes,
       greatest(coalesce(extract(epoch FROM now() - min({column})) / 86400, 0), 1)::double precision AS days,
       {kept} AS kept_days
FROM {table}
