-- What readers see of a guarded cell is kept as it was when that was decided, instead of nothing from each change of the
-- cell until the relay has looked at it again: a month to which a visit is added every second was hardly ever shown.
ALTER TABLE disclosure_cell ADD COLUMN figures double precision[] NOT NULL DEFAULT '{}';
ALTER TABLE disclosure_cell ALTER COLUMN figures DROP DEFAULT;
-- Cells that have changed since are marked for the relay and stay hidden until it has looked at them, as before.
UPDATE disclosure_cell d SET figures = figures_shown(c.figures, d.hidden)
FROM indicator_cell c
WHERE c.sector = d.sector AND c.period = d.period AND c.area_id = d.area_id AND c.bucket = d.bucket AND c.updated_at = d.figures_at;

-- As indicator_cell, for readers. `updated_at` is that of the figures that are shown.
CREATE OR REPLACE VIEW shown_cell AS
SELECT c.sector, c.period, c.area_id, c.bucket,
       CASE WHEN r.sector IS NULL THEN c.figures ELSE d.figures END AS figures,
       CASE WHEN r.sector IS NULL THEN c.updated_at ELSE coalesce(d.figures_at, c.updated_at) END AS updated_at
FROM indicator_cell c
LEFT JOIN small_cell_rule r ON r.sector = c.sector
LEFT JOIN disclosure_cell d ON d.sector = r.sector AND d.period = c.period AND d.area_id = c.area_id AND d.bucket = c.bucket;

-- As indicator_status, for readers: of a hidden figure the status is shown, and no number. Where the status rests on a newer
-- figure than the one that is shown, what was computed from it (lag, forecast) is not shown either.
CREATE OR REPLACE VIEW shown_status AS
SELECT s.code, s.area_id, s.sector, s.unit, s.owner, s.status, s.since, s.period, s.bucket, s.through,
       CASE WHEN r.sector IS NULL THEN s.value ELSE told.value END AS value, s.target_id, s.target_op, s.target, s.target_on, s.pace,
       CASE WHEN seen.ok THEN s.expected END AS expected, CASE WHEN seen.ok THEN s.lag END AS lag, s.lag_in,
       CASE WHEN seen.ok THEN s.lag_days END AS lag_days, CASE WHEN seen.ok THEN s.forecast END AS forecast,
       CASE WHEN seen.ok THEN s.forecast_low END AS forecast_low, CASE WHEN seen.ok THEN s.forecast_high END AS forecast_high,
       CASE WHEN seen.ok THEN s.needed_per_week END AS needed_per_week, s.unusual,
       CASE WHEN seen.ok THEN s.unusual_score END AS unusual_score, CASE WHEN seen.ok THEN s.usual END AS usual,
       s.settlement, s.reported, s.due, s.cause, s.computed_at,
       r.sector IS NOT NULL AND s.value IS NOT NULL AND told.value IS NULL AS hidden
FROM indicator_status s
LEFT JOIN small_cell_rule r ON r.sector = s.sector
LEFT JOIN indicator i ON i.code = s.code AND i.live AND i.sector = r.sector
LEFT JOIN disclosure_cell d ON d.sector = r.sector AND d.period = s.period AND d.area_id = s.area_id AND d.bucket = s.bucket
CROSS JOIN LATERAL (SELECT d.figures[i.slot] AS value) told
CROSS JOIN LATERAL (SELECT r.sector IS NULL OR coalesce(told.value = s.value, false) AS ok) seen;

DROP FUNCTION figures_shown(double precision[], smallint[]);
