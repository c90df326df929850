-- name: try_lock
SELECT pg_try_advisory_xact_lock(7305002)

-- name: lock
SELECT pg_advisory_xact_lock(7305002)

-- name: listen
LISTEN ioc_contribution

-- name: take_deltas
DELETE FROM measure_delta
WHERE delta_id IN (SELECT delta_id FROM measure_delta ORDER BY delta_id LIMIT %s)
RETURNING feed_id, area_id, bucket, sums, placed, appended_at

-- name: take_members
DELETE FROM member_delta
WHERE ctid = ANY (ARRAY(SELECT ctid FROM member_delta LIMIT %s))
RETURNING measure_id, area_id, bucket, replace(member::text, '-', '') AS member, n, placed, appended_at

-- name: take_traces
-- Those of the contributions that were taken; what lies longer than an hour was folded by a roll-up that did not trace.
WITH taken AS (
    DELETE FROM contribution_trace
    WHERE appended_at = ANY(%(appended)s::timestamptz[]) OR appended_at < now() - interval '1 hour'
    RETURNING appended_at, traceparent
)
SELECT traceparent FROM taken WHERE appended_at = ANY(%(appended)s::timestamptz[]) ORDER BY appended_at, traceparent

-- name: insert_set_aside
INSERT INTO contribution_set_aside (feed_id, area_id, bucket, sums, measure_id, member, n, placed, appended_at, records, fault)
VALUES (%(feed_id)s, %(area_id)s, %(bucket)s, %(sums)s, %(measure_id)s, %(member)s, %(n)s, %(placed)s, %(appended_at)s,
        %(records)s, %(fault)s)

-- name: count_set_aside
SELECT count(*) FROM contribution_set_aside

-- name: list_set_aside
SELECT f.key AS feed, a.code AS area_code, s.bucket, CASE WHEN s.sums IS NULL THEN 'member' ELSE 'sums' END AS kind,
       s.records, s.fault, s.appended_at, s.set_aside_at
FROM contribution_set_aside s JOIN feed f USING (feed_id) LEFT JOIN area a USING (area_id)
WHERE %(feed)s::text IS NULL OR f.key = %(feed)s ORDER BY s.set_aside_id LIMIT %(most)s

-- name: select_replaced
SELECT key::text FROM record_revision
WHERE feed_id = %(feed_id)s AND recorded_at = %(at)s ORDER BY 1 LIMIT %(most)s

-- name: take_set_aside
-- Those that have been waiting longest since they were last tried.
DELETE FROM contribution_set_aside
WHERE set_aside_id IN (SELECT set_aside_id FROM contribution_set_aside ORDER BY set_aside_id LIMIT %s)
RETURNING feed_id, area_id, bucket, sums, measure_id, replace(member::text, '-', '') AS member, n, placed, appended_at

-- name: create_staging
CREATE TEMPORARY TABLE IF NOT EXISTS staged_cell (
    feed_id smallint, period text, area_id integer, bucket date, sums bigint[]
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_member (
    measure_id integer, member uuid, bucket date, area_id integer, n integer
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_figures (
    sector text, period text, area_id integer, bucket date, figures double precision[]
) ON COMMIT DELETE ROWS

-- name: copy_staged_cells
COPY staged_cell (feed_id, period, area_id, bucket, sums) FROM STDIN (FORMAT csv)

-- name: add_staged_cells
INSERT INTO measure_cell AS cell (feed_id, period, area_id, bucket, sums)
SELECT feed_id, period, area_id, bucket, sums FROM staged_cell ORDER BY feed_id, period, area_id, bucket
ON CONFLICT (feed_id, period, area_id, bucket) DO UPDATE SET sums = sums_add(cell.sums, excluded.sums)

-- name: remove_emptied_cells
DELETE FROM measure_cell cell USING staged_cell s
WHERE cell.feed_id = s.feed_id AND cell.period = s.period AND cell.area_id = s.area_id AND cell.bucket = s.bucket
  AND 0 > ANY (s.sums) AND 0 = ALL (cell.sums)

-- name: set_staged_cells
INSERT INTO measure_cell AS cell (feed_id, period, area_id, bucket, sums)
SELECT feed_id, period, area_id, bucket, sums FROM staged_cell ORDER BY feed_id, period, area_id, bucket
ON CONFLICT (feed_id, period, area_id, bucket) DO UPDATE SET sums = excluded.sums

-- name: clear_staged_cells
DELETE FROM staged_cell

-- name: clear_staged_members
-- One transaction may fold several times: what was merged must not be merged again.
DELETE FROM staged_member

-- name: copy_staged_members
COPY staged_member (measure_id, member, bucket, area_id, n) FROM STDIN (FORMAT csv)

-- name: select_turning_members
-- The staged members that appear in their area and day, or disappear: one is there while its count is positive. The
-- lateral lookup goes by the primary key, whatever the planner thinks of the staging table.
SELECT s.measure_id, s.area_id, s.bucket, replace(s.member::text, '-', '') AS member, coalesce(d.n, 0) <= 0 AS appears
FROM staged_member s
LEFT JOIN LATERAL (
    SELECT n FROM distinct_member d
    WHERE d.measure_id = s.measure_id AND d.member = s.member AND d.bucket = s.bucket AND d.area_id = s.area_id
    LIMIT 1
) d ON true
WHERE (coalesce(d.n, 0) > 0) <> (coalesce(d.n, 0) + s.n > 0)

-- name: merge_members
WITH merged AS (
    SELECT s.*, coalesce(d.n, 0) + s.n AS new
    FROM staged_member s
    LEFT JOIN LATERAL (
        SELECT n FROM distinct_member d
        WHERE d.measure_id = s.measure_id AND d.member = s.member AND d.bucket = s.bucket AND d.area_id = s.area_id
        LIMIT 1
    ) d ON true
), removed AS (
    DELETE FROM distinct_member d USING merged m
    WHERE m.new = 0 AND d.measure_id = m.measure_id AND d.member = m.member AND d.bucket = m.bucket
      AND d.area_id = m.area_id
)
INSERT INTO distinct_member (measure_id, member, bucket, area_id, n)
SELECT measure_id, member, bucket, area_id, new FROM merged WHERE new <> 0
ON CONFLICT (measure_id, member, bucket, area_id) DO UPDATE SET n = excluded.n

-- name: select_nearest_days
-- For members and days: the last day until then, and the first one after it, on which the member is there within an
-- area; %(units)s: as text, of each of %(areas)s the units that make it up.
WITH held AS MATERIALIZED (
    SELECT area_id, units::int[] AS units FROM unnest(%(areas)s::int[], %(units)s::text[]) AS u (area_id, units)
)
SELECT w.place, earlier.bucket AS earlier, later.bucket AS later
FROM unnest(%(measure_ids)s::int[], %(members)s::uuid[], %(area_ids)s::int[], %(days)s::date[], %(firsts)s::date[],
            %(lasts)s::date[]) WITH ORDINALITY AS w (measure_id, member, area_id, day, first, last, place)
JOIN held USING (area_id)
LEFT JOIN LATERAL (
    SELECT bucket FROM distinct_member d
    WHERE d.measure_id = w.measure_id AND d.member = w.member AND d.bucket BETWEEN w.first AND w.day AND d.n > 0
      AND d.area_id = ANY(held.units)
    ORDER BY d.bucket DESC LIMIT 1
) earlier ON true
LEFT JOIN LATERAL (
    SELECT bucket FROM distinct_member d
    WHERE d.measure_id = w.measure_id AND d.member = w.member AND d.bucket > w.day AND d.bucket <= w.last AND d.n > 0
      AND d.area_id = ANY(held.units)
    ORDER BY d.bucket LIMIT 1
) later ON true

-- name: select_running_totals
-- The running totals of a level that a change on or after `since` concerns: the last row before it, and all from it on.
SELECT w.area_id, c.bucket, c.sums
FROM unnest(%(areas)s::int[], %(since)s::date[]) AS w (area_id, since)
JOIN LATERAL (
    (SELECT bucket, sums FROM measure_cell
     WHERE feed_id = %(feed_id)s AND period = %(level)s AND area_id = w.area_id AND bucket < w.since
     ORDER BY bucket DESC LIMIT 1)
    UNION ALL
    SELECT bucket, sums FROM measure_cell
    WHERE feed_id = %(feed_id)s AND period = %(level)s AND area_id = w.area_id AND bucket >= w.since
) c ON true

-- name: select_sector_keys
SELECT period, area_id, bucket FROM indicator_cell WHERE sector = %s

-- name: select_cells
-- Cells by their place in what was asked for; the range of buckets is for the planner, which leaves chunks out by it.
SELECT w.place, c.sums
FROM unnest(%(periods)s::text[], %(areas)s::int[], %(buckets)s::date[]) WITH ORDINALITY AS w (period, area_id, bucket, place)
JOIN measure_cell c ON c.period = w.period AND c.area_id = w.area_id AND c.bucket = w.bucket
WHERE c.feed_id = %(feed_id)s AND c.bucket BETWEEN %(first)s AND %(last)s

-- name: select_running_totals_between
-- For each area: the running totals of the days from `first` to `last`, and those that stood on the first.
SELECT w.area_id, c.bucket, c.sums
FROM unnest(%(areas)s::int[], %(firsts)s::date[], %(lasts)s::date[]) AS w (area_id, first, last)
JOIN LATERAL (
    (SELECT bucket, sums FROM measure_cell
     WHERE feed_id = %(feed_id)s AND period = %(level)s AND area_id = w.area_id AND bucket <= w.first
     ORDER BY bucket DESC LIMIT 1)
    UNION ALL
    SELECT bucket, sums FROM measure_cell
    WHERE feed_id = %(feed_id)s AND period = %(level)s AND area_id = w.area_id AND bucket > w.first AND bucket <= w.last
) c ON true

-- name: remove_figures
DELETE FROM indicator_cell c
USING unnest(%(periods)s::text[], %(areas)s::int[], %(buckets)s::date[]) AS gone (period, area_id, bucket)
WHERE c.sector = %(sector)s AND c.period = gone.period AND c.area_id = gone.area_id AND c.bucket = gone.bucket

-- name: clear_figures
-- As remove_figures, where versions that were replaced keep theirs.
UPDATE indicator_cell c
SET figures = figures_merge(c.figures, array_fill(NULL::double precision, ARRAY[cardinality(%(own)s::boolean[])]), %(own)s)
FROM unnest(%(periods)s::text[], %(areas)s::int[], %(buckets)s::date[]) AS gone (period, area_id, bucket)
WHERE c.sector = %(sector)s AND c.period = gone.period AND c.area_id = gone.area_id AND c.bucket = gone.bucket

-- name: copy_staged_figures
COPY staged_figures (sector, period, area_id, bucket, figures) FROM STDIN (FORMAT csv)

-- name: set_staged_figures
INSERT INTO indicator_cell AS cell (sector, period, area_id, bucket, figures)
SELECT sector, period, area_id, bucket, figures FROM staged_figures ORDER BY sector, period, area_id, bucket
ON CONFLICT (sector, period, area_id, bucket)
DO UPDATE SET figures = excluded.figures, updated_at = clock_timestamp()
WHERE cell.figures IS DISTINCT FROM excluded.figures

-- name: merge_staged_figures
INSERT INTO indicator_cell AS cell (sector, period, area_id, bucket, figures)
SELECT sector, period, area_id, bucket, figures FROM staged_figures ORDER BY sector, period, area_id, bucket
ON CONFLICT (sector, period, area_id, bucket)
DO UPDATE SET figures = figures_merge(cell.figures, excluded.figures, %(own)s::boolean[]),
              updated_at = clock_timestamp()
WHERE cell.figures IS DISTINCT FROM figures_merge(cell.figures, excluded.figures, %(own)s::boolean[])

-- name: select_extremes
-- For each area and span: the smallest and the largest of the figures of its days. The period is no constant: with one,
-- the index over days would offer itself, by which each day of a span is read for all sectors and areas.
SELECT w.area_id, w.first, w.last, min(c.figures[%(slot)s]) AS least, max(c.figures[%(slot)s]) AS most
FROM unnest(%(areas)s::int[], %(firsts)s::date[], %(lasts)s::date[], %(periods)s::text[]) AS w (area_id, first, last, period)
JOIN indicator_cell c ON c.sector = %(sector)s AND c.period = w.period AND c.area_id = w.area_id
 AND c.bucket BETWEEN w.first AND w.last
GROUP BY 1, 2, 3

-- name: clear_staged_figures
-- Rows that are only deleted stay in the table until the fold commits, and each mark of a large fold reads it whole.
TRUNCATE staged_figures

-- name: postpone
-- Cells whose figures later transactions compute; %(areas)s: of each period its areas, as the text of an array.
INSERT INTO figure_postponed AS known (sector, period, bucket, areas)
SELECT %(sector)s, period, bucket, areas::int[]
FROM unnest(%(periods)s::text[], %(buckets)s::date[], %(areas)s::text[]) AS w (period, bucket, areas)
ON CONFLICT (sector, period, bucket)
DO UPDATE SET areas = ARRAY(SELECT DISTINCT a FROM unnest(known.areas || excluded.areas) AS a ORDER BY a)

-- name: take_postponed
-- Whole periods, the newest of one sector first, until their areas are as many as are wanted: a sector's cells cost less
-- together.
DELETE FROM figure_postponed p
USING (
    SELECT sector, period, bucket,
           sum(cardinality(areas)) OVER (ORDER BY sector, bucket DESC, period) - cardinality(areas) AS before
    FROM figure_postponed
) due
WHERE due.before < %(most)s AND p.sector = due.sector AND p.period = due.period AND p.bucket = due.bucket
RETURNING p.sector, p.period, p.bucket, p.areas

-- name: count_postponed
SELECT coalesce(sum(cardinality(areas)), 0)::bigint FROM figure_postponed
