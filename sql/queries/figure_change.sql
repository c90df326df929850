-- name: mark_changed
-- Cells that differ from what is staged, with the figures that were shown until now. The lateral lookup goes by the
-- primary key, whatever the planner thinks of the staging table (no other index serves it, see migration 37); the bounds
-- leave out all other chunks.
INSERT INTO figure_change AS change (sector, period, area_id, bucket, before)
SELECT s.sector, s.period, s.area_id, s.bucket, c.figures
FROM staged_figures s
LEFT JOIN LATERAL (
    SELECT figures FROM indicator_cell c
    WHERE c.sector = s.sector AND c.period = s.period AND c.area_id = s.area_id AND c.bucket = s.bucket
      AND c.bucket BETWEEN %(first)s AND %(last)s
    LIMIT 1
) c ON true
WHERE s.bucket BETWEEN %(first)s AND %(last)s AND c.figures IS DISTINCT FROM s.figures
ORDER BY s.sector, s.period, s.area_id, s.bucket
-- Takes the lock of a mark that is there: the relay, which removes it, waits for this transaction or this one for it.
ON CONFLICT (sector, period, area_id, bucket) DO UPDATE SET changed_at = change.changed_at

-- name: mark_removed
INSERT INTO figure_change AS change (sector, period, area_id, bucket, before)
SELECT c.sector, c.period, c.area_id, c.bucket, c.figures
FROM indicator_cell c
JOIN unnest(%(periods)s::text[], %(areas)s::int[], %(buckets)s::date[]) AS gone (period, area_id, bucket)
  ON c.period = gone.period AND c.area_id = gone.area_id AND c.bucket = gone.bucket
WHERE c.sector = %(sector)s
ORDER BY c.sector, c.period, c.area_id, c.bucket
ON CONFLICT (sector, period, area_id, bucket) DO UPDATE SET changed_at = change.changed_at

-- name: next_revision
SELECT nextval('figure_revision')

-- name: take_changes
-- Marks that a fold is touching this moment are left for the next time.
DELETE FROM figure_change change
USING (SELECT sector, period, area_id, bucket FROM figure_change LIMIT %(most)s FOR UPDATE SKIP LOCKED) taken
WHERE change.sector = taken.sector AND change.period = taken.period AND change.area_id = taken.area_id
  AND change.bucket = taken.bucket
RETURNING change.sector, change.period, change.area_id, change.bucket, change.before, change.changed_at

-- name: select_figures
-- What is shown now of the taken cells. A statement of its own: it sees every fold that had touched one of the marks.
SELECT c.sector, c.period, c.area_id, c.bucket, c.figures, c.updated_at
FROM unnest(%(sectors)s::text[], %(periods)s::text[], %(areas)s::int[], %(buckets)s::date[])
     AS w (sector, period, area_id, bucket)
JOIN LATERAL (
    SELECT * FROM indicator_cell c
    WHERE c.sector = w.sector AND c.period = w.period AND c.area_id = w.area_id AND c.bucket = w.bucket
      AND c.bucket BETWEEN %(first)s AND %(last)s
    LIMIT 1
) c ON true

-- name: select_indicators
SELECT sector, slot, code, version, unit FROM indicator WHERE live ORDER BY sector, slot

-- name: select_areas
SELECT area_id, code, level FROM area

-- name: copy_records
COPY figure_record (key, value, events) FROM STDIN

-- name: select_records
SELECT figure_record_id, key, value, events FROM figure_record ORDER BY figure_record_id LIMIT %(most)s

-- name: remove_records
DELETE FROM figure_record WHERE figure_record_id = ANY(%(sent)s)

-- name: count_waiting
SELECT (SELECT count(*) FROM figure_change) AS cells, (SELECT coalesce(sum(events), 0) FROM figure_record)::bigint AS events,
       (SELECT min(changed_at) FROM figure_change) AS since

-- name: try_relay_lock
SELECT pg_try_advisory_lock(7305011)

-- name: unlock_relay
SELECT pg_advisory_unlock(7305011)

-- name: mark_swapped
-- Cells in which versions that are swapped in show other figures than those they replace; `before` under the new slots.
-- Marks that wait already are brought under the new slots too.
INSERT INTO figure_change AS change (sector, period, area_id, bucket, before)
SELECT c.sector, c.period, c.area_id, c.bucket, figures_before_swap(c.figures, %(old)s::int[], %(new)s::int[])
FROM indicator_cell c
WHERE c.sector = %(sector)s
  AND c.figures IS DISTINCT FROM figures_before_swap(c.figures, %(old)s::int[], %(new)s::int[])
ORDER BY c.sector, c.period, c.area_id, c.bucket
ON CONFLICT (sector, period, area_id, bucket)
DO UPDATE SET before = figures_before_swap(change.before, %(old)s::int[], %(new)s::int[])
