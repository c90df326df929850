-- name: try_lock
-- Held by the session: one rebuild at a time.
SELECT pg_try_advisory_lock(7305004)

-- name: unlock
SELECT pg_advisory_unlock(7305004)

-- name: copy_lacking
COPY measure_delta (feed_id, area_id, bucket, sums, placed) FROM STDIN (FORMAT csv)

-- name: stored_months
SELECT DISTINCT date_trunc('month', bucket)::date FROM measure_cell WHERE feed_id = %s AND period = 'day'

-- name: record_months
SELECT DISTINCT date_trunc('month', {column})::date FROM {table} WHERE {column} IS NOT NULL

-- name: select_day_cells
-- The sums in the given slots, in their order.
SELECT area_id, bucket AS day, ARRAY(
    SELECT coalesce(sums[s.slot], 0) FROM unnest(%(slots)s::int[]) WITH ORDINALITY AS s (slot, ordinal) ORDER BY s.ordinal
) AS sums
FROM measure_cell
WHERE feed_id = %(feed_id)s AND bucket BETWEEN %(first)s AND %(last)s AND period = 'day'

-- name: select_waiting_sums
-- The same of what waits to be folded, or could not be and is tried again, where it was named and where it is placed already.
SELECT area_id, bucket AS day, placed, array_agg(total ORDER BY ordinal) AS sums FROM (
    SELECT d.area_id, d.bucket, d.placed, s.ordinal, sum(coalesce(d.sums[s.slot], 0))::bigint AS total
    FROM (
        SELECT feed_id, area_id, bucket, placed, sums FROM measure_delta
        UNION ALL SELECT feed_id, area_id, bucket, placed, sums FROM contribution_set_aside WHERE sums IS NOT NULL
    ) d CROSS JOIN unnest(%(slots)s::int[]) WITH ORDINALITY AS s (slot, ordinal)
    WHERE d.feed_id = %(feed_id)s AND d.bucket BETWEEN %(first)s AND %(last)s GROUP BY 1, 2, 3, 4
) summed GROUP BY 1, 2, 3

-- name: append_members
-- What members' counts lack, without taking them out of the database: recomputed - stored - waiting.
WITH spoken AS ({spoken}),
measured (slot, measure_id) AS (SELECT * FROM unnest(%(slots)s::int[], %(measure_ids)s::int[])),
stored AS (
    SELECT d.* FROM distinct_member d JOIN measured USING (measure_id) WHERE bucket BETWEEN %(first)s AND %(last)s
), part AS (
    SELECT measure_id, p.unit_id AS area_id, day, md5(member)::uuid AS member, count(*) AS n
    FROM spoken s JOIN measured USING (slot)
    JOIN area_placement p ON p.area_id = s.area_id AND day >= p.since AND day < p.until GROUP BY 1, 2, 3, 4
    UNION ALL SELECT measure_id, area_id, bucket, member, -n FROM stored
    UNION ALL SELECT measure_id, CASE WHEN placed THEN d.area_id ELSE p.unit_id END, bucket, member, -n
    FROM (
        SELECT measure_id, area_id, bucket, member, n, placed FROM member_delta
        UNION ALL SELECT measure_id, area_id, bucket, member, n, placed FROM contribution_set_aside WHERE member IS NOT NULL
    ) d JOIN measured USING (measure_id)
    JOIN area_placement p ON p.area_id = d.area_id AND bucket >= p.since AND bucket < p.until
    WHERE bucket BETWEEN %(first)s AND %(last)s
)
INSERT INTO member_delta (measure_id, area_id, bucket, member, n, placed)
SELECT measure_id, area_id, day, member, sum(n), true FROM part GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0

-- name: done_months
SELECT month FROM rebuild_month WHERE feed_id = %s AND measure_ids @> %s::integer[]

-- name: note_month
INSERT INTO rebuild_month (feed_id, month, measure_ids) VALUES (%s, %s, %s)
ON CONFLICT (feed_id, month) DO UPDATE SET measure_ids = excluded.measure_ids, done_at = clock_timestamp()

-- name: forget_months
DELETE FROM rebuild_month WHERE feed_id = %s

-- name: select_waiting
-- How much the roll-up has still to fold.
SELECT (SELECT count(*) FROM measure_delta) + (SELECT count(*) FROM member_delta)

-- name: select_carrying_areas
SELECT DISTINCT s.area_id FROM area_carry_over s
JOIN measure_cell c ON c.feed_id = %s AND c.period = 'day' AND c.area_id = s.origin_id ORDER BY 1

-- name: select_days
-- What stands in an area: its own days, and those of the units it took over. What lies below one of these is in it.
SELECT greatest(c.bucket, s.since) AS bucket, s.origin_id, c.sums
FROM area_carry_over s
JOIN area a ON a.area_id = s.origin_id
JOIN measure_cell c ON c.feed_id = %(feed_id)s AND c.period = 'day' AND c.area_id = s.origin_id
WHERE s.area_id = %(area_id)s
  AND NOT EXISTS (SELECT FROM area_carry_over p WHERE p.area_id = s.area_id AND p.origin_id = a.parent_id)
ORDER BY 1

-- name: remove_running_totals
DELETE FROM measure_cell WHERE feed_id = %s AND period = 'closing' AND area_id = %s

-- name: copy_running_totals
COPY measure_cell (feed_id, period, area_id, bucket, sums) FROM STDIN (FORMAT csv)

-- name: select_versions
-- The slots of the candidates and of the live versions that they replace, where both lie in the same rows.
SELECT new.sector, new.code, old.version AS old_version, old.slot AS old_slot, new.version AS new_version,
       new.slot AS new_slot
FROM indicator new LEFT JOIN indicator old ON old.live AND old.code = new.code AND old.sector = new.sector
WHERE new.candidate AND new.code = ANY(%s) ORDER BY new.sector, new.slot

-- name: compare_figures
SELECT w.code, count(*) AS cells, count(*) FILTER (WHERE f.old = f.new) AS same,
       count(*) FILTER (WHERE f.old <> f.new) AS moved,
       count(*) FILTER (WHERE f.old IS NULL) AS appeared, count(*) FILTER (WHERE f.new IS NULL) AS vanished
FROM indicator_cell c
CROSS JOIN unnest(%(codes)s::text[], %(old)s::int[], %(new)s::int[]) AS w (code, old_slot, new_slot)
CROSS JOIN LATERAL (SELECT c.figures[w.old_slot] AS old, c.figures[w.new_slot] AS new) f
WHERE c.sector = %(sector)s AND num_nonnulls(f.old, f.new) > 0
GROUP BY w.code

-- name: largest_moves
SELECT m.code, a.code AS area_code, a.name_vi AS area_name, m.period, m.bucket, m.old, m.new FROM (
    SELECT w.code, c.area_id, c.period, c.bucket, f.old, f.new,
           row_number() OVER (PARTITION BY w.code ORDER BY abs(f.new - f.old) DESC, c.bucket, c.area_id) AS place
    FROM indicator_cell c
    CROSS JOIN unnest(%(codes)s::text[], %(old)s::int[], %(new)s::int[]) AS w (code, old_slot, new_slot)
    CROSS JOIN LATERAL (SELECT c.figures[w.old_slot] AS old, c.figures[w.new_slot] AS new) f
    WHERE c.sector = %(sector)s AND f.old <> f.new
) m JOIN area a ON a.area_id = m.area_id
WHERE m.place <= %(most)s ORDER BY m.code, m.place
