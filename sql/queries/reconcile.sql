-- Parts of the proof, in PostgreSQL alone. `streams.proof` puts measures, tables and figures where the braces are.

-- name: create_chains
CREATE TEMPORARY TABLE chain ON COMMIT DROP AS
WITH RECURSIVE up (origin_id, area_id, parent_id) AS (
    SELECT area_id, area_id, parent_id FROM area
    UNION ALL
    SELECT up.origin_id, a.area_id, a.parent_id FROM up JOIN area a ON a.area_id = up.parent_id
)
SELECT origin_id, area_id FROM up;
CREATE INDEX ON chain (origin_id);
CREATE INDEX ON chain (area_id);
CREATE TEMPORARY TABLE period ON COMMIT DROP AS
SELECT * FROM (VALUES ('day', interval '1 day'), ('week', interval '7 days'), ('month', interval '1 month'),
                      ('quarter', interval '3 months'), ('year', interval '1 year')) AS p (period, length);
CREATE TEMPORARY TABLE opened_day (feed text NOT NULL, day date NOT NULL) ON COMMIT DROP;
CREATE TEMPORARY TABLE day_figure (code text, area_id integer, day date, figure double precision) ON COMMIT DROP;
CREATE INDEX ON day_figure (code, area_id, day);
ANALYZE chain;
ANALYZE period

-- name: count_waiting
SELECT (SELECT count(*) FROM measure_delta) + (SELECT count(*) FROM member_delta)
       + (SELECT count(*) FROM figure_postponed) AS waiting

-- name: create_days
-- What each area counted on each day.
CREATE TEMPORARY TABLE {day} ON COMMIT DROP AS {placed};
CREATE INDEX ON {day} (area_id, day)

-- name: create_cells
CREATE TEMPORARY TABLE {cell} ON COMMIT DROP AS
SELECT p.period, c.area_id, date_trunc(p.period, d.day)::date AS bucket{sums}
FROM {day} d JOIN chain c ON c.origin_id = d.area_id CROSS JOIN period p GROUP BY 1, 2, 3;
CREATE INDEX ON {cell} (period, area_id, bucket)

-- name: create_members
-- Members of each day, in every area above the record's.
CREATE TEMPORARY TABLE {spoken} ON COMMIT DROP AS
SELECT DISTINCT m.slot, c.area_id, m.day, m.member
FROM ({members}) m JOIN area_placement a ON a.area_id = m.area_id AND m.day >= a.since AND m.day < a.until
JOIN chain c ON c.origin_id = a.unit_id;
CREATE TEMPORARY TABLE {member} ON COMMIT DROP AS
SELECT m.slot, p.period, m.area_id, date_trunc(p.period, m.day)::date AS bucket, count(DISTINCT m.member) AS n
FROM {spoken} m CROSS JOIN period p GROUP BY 1, 2, 3, 4;
CREATE INDEX ON {member} (slot, period, area_id, bucket)

-- name: create_first_days
-- On how many members' first day of a year each day is: up to a day, the year's members are their sum.
CREATE TEMPORARY TABLE {first} ON COMMIT DROP AS
SELECT slot, area_id, day, count(*) AS n FROM (
    SELECT slot, area_id, member, min(day) AS day FROM {spoken} WHERE slot = ANY({slots})
    GROUP BY slot, area_id, member, date_trunc('year', day)
) begun GROUP BY 1, 2, 3;
CREATE INDEX ON {first} (slot, area_id, day)

-- name: create_open
-- The periods in which the feed has counted anything in the whole province.
CREATE TEMPORARY TABLE {open} ON COMMIT DROP AS
SELECT period, bucket FROM {cell} WHERE area_id IN (SELECT area_id FROM area WHERE parent_id IS NULL) AND ({anything})
UNION
SELECT period, bucket FROM {member} WHERE area_id IN (SELECT area_id FROM area WHERE parent_id IS NULL);
INSERT INTO opened_day SELECT {feed}, bucket FROM {open} WHERE period = 'day'

-- name: not_nothing
{slot} <> 0

-- name: more_than_nothing
-- What is told ahead of a day on which it ends opens nothing.
{slot} > 0

-- name: analyze
ANALYZE {table}

-- name: rolled_up
, coalesce(sum(d.{slot}), 0) AS {slot}

-- name: rolled_up_alone
, coalesce(sum(d.{slot}) FILTER (WHERE c.origin_id = c.area_id), 0) AS {slot}

-- name: wanted_sum
SELECT {number} AS slot, period, area_id, bucket, {slot} AS amount FROM {cell}

-- name: wanted_members
SELECT slot, period, area_id, bucket, n AS amount FROM {member}

-- name: compare_cells
WITH stored AS (
    SELECT m.slot, c.period, c.area_id, c.bucket, coalesce(c.sums[m.slot], 0) AS amount
    FROM measure_cell c CROSS JOIN unnest(%(slots)s::int[]) AS m (slot)
    WHERE c.feed_id = %(feed_id)s AND c.period NOT IN ('closing', 'carried', 'own_reported', 'own_carried')
), wanted AS ({wanted})
SELECT slot, period, area_id, bucket, coalesce(s.amount, 0) AS stored, coalesce(w.amount, 0) AS recomputed
FROM stored s FULL JOIN wanted w USING (slot, period, area_id, bucket)
WHERE coalesce(s.amount, 0) <> coalesce(w.amount, 0) LIMIT 1000

-- name: count_cells
SELECT count(*) FROM measure_cell WHERE feed_id = %s AND period NOT IN ('closing', 'carried', 'own_reported', 'own_carried')

-- name: count_figures
SELECT count(*) FROM indicator_cell WHERE sector = %s

-- name: create_keys
-- Every cell that a sector has or should have, with the days that its figures speak of.
-- Days and weeks are carried for 7 days after an open day, longer periods up to the last open day of any feed.
CREATE TEMPORARY TABLE key ON COMMIT DROP AS
WITH day AS (
    SELECT DISTINCT day FROM opened_day WHERE feed = ANY({opening})
), bound AS (
    SELECT min(day) AS first, max(day) AS horizon,
           CASE WHEN {carries} THEN (SELECT max(day) FROM opened_day) ELSE max(day) END AS carried_to
    FROM day
), opened AS (
    SELECT p.period, date_trunc(p.period, day)::date AS bucket FROM day CROSS JOIN period p
    UNION
    SELECT p.period, s.bucket::date FROM bound b CROSS JOIN period p
    CROSS JOIN LATERAL generate_series(date_trunc(p.period, b.first), b.carried_to, p.length) AS s (bucket)
    WHERE {carries} AND (p.period NOT IN ('day', 'week')
                         OR EXISTS (SELECT FROM day WHERE day <= s.bucket AND s.bucket - day <= interval '7 days'))
), wanted AS (
    SELECT o.period, a.area_id, o.bucket FROM opened o JOIN period p USING (period)
    JOIN area a ON a.valid_from < o.bucket + p.length AND a.valid_to > o.bucket
), stored AS (
    SELECT period, area_id, bucket, figures FROM indicator_cell WHERE sector = {sector}
)
SELECT period, area_id, bucket, s.figures, w.here IS NOT NULL AS wanted, a.valid_from, a.valid_to,
       bucket AS first_period, e.until AS last_period,
       y.year AS first_ytd, e.until AS last_ytd,
       y.year AS first_year,
       least(CASE WHEN y.year <= b.horizon THEN b.horizon ELSE b.carried_to END,
             (y.year + interval '1 year - 1 day')::date) AS last_year
FROM stored s FULL JOIN (SELECT *, true AS here FROM wanted) w USING (period, area_id, bucket)
JOIN period p USING (period) JOIN area a USING (area_id) CROSS JOIN bound b
CROSS JOIN LATERAL (SELECT least(CASE WHEN bucket <= b.horizon THEN b.horizon ELSE b.carried_to END,
                                 (bucket + p.length - interval '1 day')::date) AS until) e
CROSS JOIN LATERAL (SELECT date_trunc('year', e.until)::date AS year) y;
ANALYZE key

-- name: drop_keys
DROP TABLE key

-- name: compare_figures
WITH figure AS MATERIALIZED (
    SELECT f.slot, key.period, key.area_id, key.bucket, key.figures[f.slot] AS stored,
           CASE WHEN key.wanted THEN f.figure END AS recomputed
    FROM key {joins} CROSS JOIN LATERAL (VALUES {pairs}) AS f (slot, figure)
)
SELECT slot, period, area_id, bucket, stored, recomputed FROM figure
WHERE (stored IS NULL) <> (recomputed IS NULL)
   OR abs(stored - recomputed) > %(tolerance)s * greatest(abs(recomputed), 1) LIMIT 1000

-- name: pair
({slot}, {figure})

-- name: insert_day_figures
INSERT INTO day_figure
SELECT f.code, key.area_id, key.bucket, f.figure
FROM key {joins} CROSS JOIN LATERAL (VALUES {pairs}) AS f (code, figure)
WHERE key.period = 'day' AND key.wanted

-- name: clear_day_figures
DELETE FROM day_figure

-- name: days
(greatest(key.{last} - key.{first} + 1, 1))

-- name: unit
(({amount})::double precision / {unit})

-- name: total_of_period
CASE WHEN {here}.present THEN coalesce({cell}.{slot}, 0) END

-- name: join_period
LEFT JOIN {table} {cell} ON {cell}.period = {period} AND {cell}.area_id = key.area_id AND {cell}.bucket = {bucket}
LEFT JOIN (SELECT period, bucket, true AS present FROM {open}) {here} ON {here}.period = {period} AND {here}.bucket = {bucket}

-- name: members_of_period
CASE WHEN {here}.present THEN coalesce((
    SELECT n FROM {member} m
    WHERE m.slot = {number} AND m.period = {period} AND m.area_id = key.area_id AND m.bucket = {bucket}), 0) END

-- name: total_to_date
CASE WHEN EXISTS (SELECT FROM {open} o WHERE o.period = 'day' AND o.bucket BETWEEN key.first_ytd AND key.last_ytd)
THEN (SELECT coalesce(sum(d.{slot}), 0) FROM {cell} d
      WHERE d.period = 'day' AND d.area_id = key.area_id AND d.bucket BETWEEN key.first_ytd AND key.last_ytd) END

-- name: members_to_date
CASE WHEN EXISTS (SELECT FROM {open} o WHERE o.period = 'day' AND o.bucket BETWEEN key.first_ytd AND key.last_ytd)
THEN (SELECT coalesce(sum(d.n), 0) FROM {first} d
      WHERE d.slot = {number} AND d.area_id = key.area_id AND d.day BETWEEN key.first_ytd AND key.last_ytd) END

-- name: running_total
coalesce({running_total}.{slot}, 0)

-- name: join_running_totals
LEFT JOIN LATERAL (
    SELECT {totals} FROM {day} d JOIN area_carry_over c ON c.origin_id = d.area_id
    WHERE c.area_id = key.area_id AND greatest(d.day, c.since) <= key.{last}
) {running_total} ON true

-- name: create_levels
-- What is reported of each area, every area's last report carried forward until its next one. The braces hold what
-- records add to the days of the areas that they name, and by row number, amount, reports, and whether it holds for that
-- area alone.
-- What a unit that has ended reported is carried on until one that took over its ground has a report in force: the units
-- that took all of it, and those above them; where none did, those that took over the units below it.
CREATE TEMPORARY TABLE {level} ON COMMIT DROP AS
WITH told AS MATERIALIZED (
    SELECT area_id, pair, alone, day, sum(amount) OVER w AS amount, sum(reports) OVER w AS reports,
           lead(day, 1, 'infinity') OVER w AS next
    FROM (
        SELECT d.area_id, p.pair, p.alone, d.day, sum(p.amount) AS amount, sum(p.reports) AS reports
        FROM ({named}) d CROSS JOIN LATERAL (VALUES {pairs}) AS p (pair, amount, reports, alone)
        WHERE p.amount <> 0 OR p.reports <> 0 GROUP BY 1, 2, 3, 4
    ) changed
    WINDOW w AS (PARTITION BY area_id, pair ORDER BY day)
), heir AS (
    -- Units that took over all of one, not only all of the unit above it.
    SELECT c.origin_id, c.area_id, c.since FROM area_carry_over c JOIN area a ON a.area_id = c.origin_id
    WHERE NOT EXISTS (SELECT FROM chain x WHERE x.origin_id = c.origin_id AND x.area_id = c.area_id)
      AND (a.parent_id IS NULL
           OR NOT EXISTS (SELECT FROM area_carry_over p WHERE p.origin_id = a.parent_id AND p.area_id = c.area_id))
), takeover AS (
    SELECT a.area_id AS origin_id, c.area_id, greatest(min(c.since), a.valid_to) AS since
    FROM area a JOIN chain below ON below.area_id = a.area_id
    JOIN area_carry_over c ON c.origin_id = below.origin_id
    WHERE a.valid_to < 'infinity'
      AND (below.origin_id = a.area_id OR NOT EXISTS (SELECT FROM heir WHERE heir.origin_id = a.area_id))
      AND NOT EXISTS (SELECT FROM chain x WHERE x.origin_id = c.area_id AND x.area_id = a.area_id)
      AND NOT EXISTS (SELECT FROM chain x WHERE x.origin_id = a.area_id AND x.area_id = c.area_id)
    GROUP BY a.area_id, c.area_id
), replaced AS (
    SELECT t.origin_id AS area_id, r.pair, min(greatest(r.day, t.since)) AS day
    FROM takeover t JOIN told r ON r.area_id = t.area_id AND r.reports <> 0 AND r.next > t.since GROUP BY 1, 2
), carried AS (
    SELECT t.area_id, t.pair, t.alone, t.day, t.amount, t.reports
    FROM told t LEFT JOIN replaced r USING (area_id, pair) WHERE t.reports <> 0 OR t.day >= r.day
    UNION ALL
    SELECT t.area_id, t.pair, t.alone, r.day, 0, 0
    FROM told t JOIN replaced r USING (area_id, pair) WHERE t.reports = 0 AND t.day < r.day AND t.next > r.day
), step AS (
    SELECT area_id, pair, alone, day, amount - lag(amount, 1, 0) OVER w AS amount,
           reports - lag(reports, 1, 0) OVER w AS reports
    FROM carried WINDOW w AS (PARTITION BY area_id, pair ORDER BY day)
)
SELECT area_id, pair, day, sum(amount) OVER w AS amount, sum(reports) OVER w AS reports,
       lead(day, 1, 'infinity') OVER w AS next
FROM (
    SELECT c.area_id, s.pair, greatest(s.day, c.since) AS day, sum(s.amount) AS amount, sum(s.reports) AS reports
    FROM step s JOIN area_carry_over c ON c.origin_id = s.area_id JOIN area a ON a.area_id = c.area_id
    WHERE (NOT s.alone OR c.origin_id = c.area_id) AND greatest(s.day, c.since) < a.valid_to
    GROUP BY 1, 2, 3
) changed
WINDOW w AS (PARTITION BY area_id, pair ORDER BY day);
CREATE INDEX ON {level} (pair, area_id, day);
ANALYZE {level}

-- name: level_pair
({number}, d.{amount}, d.{reports}, {alone})

-- name: join_level
LEFT JOIN LATERAL (
    SELECT amount, reports FROM {level} l
    WHERE l.pair = {number} AND l.area_id = key.area_id AND l.day <= key.{last}
    ORDER BY l.day DESC LIMIT 1
) {alias} ON true

-- name: join_level_of_days
-- The level of each day of the span on which the area is there.
LEFT JOIN LATERAL (
    SELECT sum(l.amount * d.days) AS amount, sum(l.reports * d.days) AS reports
    FROM {level} l
    CROSS JOIN LATERAL (SELECT greatest(key.{first}, key.valid_from) AS first,
                               least(key.{last}, key.valid_to - 1) + 1 AS after) span
    CROSS JOIN LATERAL (SELECT least(l.next, span.after) - greatest(l.day, span.first) AS days) d
    WHERE l.pair = {number} AND l.area_id = key.area_id AND l.day < span.after AND l.next > span.first
      AND span.after > span.first
) {alias} ON true

-- name: carried
coalesce({alias}.{column}, 0)

-- name: join_standing_days
-- What a day adds stands on every later day of the span on which the area is there.
LEFT JOIN LATERAL (
    SELECT {totals}
    FROM {day} d JOIN area_carry_over c ON c.origin_id = d.area_id
    CROSS JOIN LATERAL (SELECT least(key.{last}, key.valid_to - 1) AS last) l
    CROSS JOIN LATERAL (
        SELECT greatest(l.last - greatest(d.day, c.since, key.{first}, key.valid_from) + 1, 0) AS days
    ) stood
    WHERE c.area_id = key.area_id AND greatest(d.day, c.since) <= l.last
) {standing_days} ON true

-- name: stood
, coalesce(sum(d.{slot} * stood.days), 0) AS {slot}

-- name: stood_alone
, coalesce(sum(d.{slot} * stood.days) FILTER (WHERE c.origin_id = c.area_id), 0) AS {slot}

-- name: standing_days
coalesce({standing_days}.{slot}, 0)

-- name: quotient
({scale}::double precision * {part} / nullif({whole}, 0))

-- name: reported
(CASE WHEN {reports} <> 0 AND {period} = ANY({periods}) THEN {figure} END)

-- name: mean
{amount} / {reports}

-- name: level_of_days
(CASE WHEN {reports} <> 0 THEN {amount} END)

-- name: extreme
(SELECT {function}(f.figure) FROM day_figure f
 WHERE f.code = {code} AND f.area_id = key.area_id AND f.day BETWEEN key.{first} AND key.{last})

-- name: expected
-- Reporters x the periods that lie wholly within the span and their registration.
(SELECT count(*)::double precision FROM (
    SELECT greatest(r.valid_from, u.valid_from, key.{first}) AS low,
           least(r.valid_to - 1, u.valid_to - 1, key.{last}) AS high
    FROM reporter r JOIN feed f ON f.feed_id = r.feed_id AND f.key = {feed}
    JOIN area u ON u.code = r.area_code AND u.valid_from < r.valid_to AND r.valid_from < u.valid_to
    JOIN chain c ON c.origin_id = u.area_id AND c.area_id = key.area_id
 ) owed
 JOIN period p ON p.period = {every}
 CROSS JOIN LATERAL generate_series(date_trunc(p.period, owed.low), owed.high, p.length) AS s (start)
 WHERE owed.low <= owed.high AND s.start >= owed.low AND s.start + p.length <= owed.high + interval '1 day')

-- name: select_waiting
-- Whether contributions of a feed's days have not been folded yet.
SELECT EXISTS (SELECT FROM measure_delta d JOIN feed f USING (feed_id)
               WHERE f.key = %(feed)s AND d.bucket BETWEEN %(first)s AND %(last)s)

-- name: select_months
-- The months that a feed has counted anything in, newest first.
SELECT DISTINCT date_trunc('month', c.bucket)::date AS month
FROM measure_cell c JOIN feed f USING (feed_id) JOIN area a USING (area_id)
WHERE f.key = %s AND c.period = 'month' AND a.parent_id IS NULL
ORDER BY month DESC

-- name: wanted_day_sum
SELECT {number}, area_id, day, {slot} FROM cell

-- name: prove_days
-- By day, how many sums of areas are compared, and how many are what the records say.
WITH RECURSIVE up (origin_id, area_id, parent_id) AS (
    SELECT area_id, area_id, parent_id FROM area
    UNION ALL
    SELECT up.origin_id, a.area_id, a.parent_id FROM up JOIN area a ON a.area_id = up.parent_id
), d AS MATERIALIZED ({placed}
), cell AS MATERIALIZED (
    SELECT c.area_id, d.day, {sums} FROM d JOIN up c ON c.origin_id = d.area_id GROUP BY 1, 2
), wanted (slot, area_id, day, amount) AS ({wanted}), stored AS (
    SELECT m.slot, c.area_id, c.bucket AS day, coalesce(c.sums[m.slot], 0) AS amount
    FROM measure_cell c JOIN feed f USING (feed_id) CROSS JOIN unnest(%(slots)s::int[]) AS m (slot)
    WHERE f.key = %(feed)s AND c.period = 'day' AND c.bucket BETWEEN %(first)s AND %(last)s
)
SELECT day, count(*) AS compared,
       count(*) FILTER (WHERE coalesce(s.amount, 0) = coalesce(w.amount, 0)) AS equal
FROM stored s FULL JOIN wanted w USING (slot, area_id, day)
WHERE day BETWEEN %(first)s AND %(last)s
GROUP BY day ORDER BY day
