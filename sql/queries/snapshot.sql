-- Figures and quality at the close of a day.

-- name: select_last
SELECT max(taken_at) FROM figure_snapshot_run

-- name: take_figures
-- What has changed since the close before.
INSERT INTO figure_snapshot (taken_at, sector, period, area_id, bucket, figures, updated_at)
SELECT %(at)s, sector, period, area_id, bucket, figures, updated_at FROM indicator_cell WHERE updated_at > %(since)s

-- name: take_quality
INSERT INTO quality_snapshot (taken_at, day, measure, feed, sector, area_id, numerator, denominator)
SELECT %(at)s, day, measure, feed, sector, area_id, numerator, denominator FROM quality_measure
WHERE measured_at > %(since)s AND reporter = ''

-- name: insert_run
INSERT INTO figure_snapshot_run (taken_at, cells) VALUES (%(at)s, %(cells)s)

-- name: select_known
-- Of cells of a sector, the figures of a moment where it is certain that nothing moved them between being written and
-- then: the cell is as it was before the moment and is not due to be computed anew, or was at a close after it.
WITH next AS (
    SELECT min(taken_at) AS taken_at FROM figure_snapshot_run WHERE taken_at >= as_of.moment()
)
SELECT w.area_id, w.bucket,
       CASE WHEN c.updated_at <= as_of.moment() THEN c.figures ELSE s.figures END AS figures
FROM (SELECT area_id, bucket FROM unnest(%(areas)s::int[]) AS area_id CROSS JOIN unnest(%(buckets)s::date[]) AS bucket) w
CROSS JOIN next
LEFT JOIN public.indicator_cell c ON c.sector = %(sector)s AND c.period = %(period)s AND c.area_id = w.area_id
 AND c.bucket = w.bucket
LEFT JOIN LATERAL (
    SELECT figures, updated_at FROM figure_snapshot f
    WHERE f.sector = %(sector)s AND f.period = %(period)s AND f.area_id = w.area_id AND f.bucket = w.bucket
      AND f.taken_at <= next.taken_at
    ORDER BY f.taken_at DESC LIMIT 1
) s ON c.updated_at IS NULL OR c.updated_at > as_of.moment()
WHERE (c.updated_at <= as_of.moment() OR s.updated_at <= as_of.moment())
  AND NOT EXISTS (SELECT FROM public.figure_postponed p
                  WHERE p.sector = %(sector)s AND p.period = %(period)s AND p.bucket = w.bucket AND w.area_id = ANY (p.areas))

-- name: select_slots
SELECT code, slot FROM indicator WHERE sector = %s AND live
