-- Small cells: counts of persons that readers of the API, the boards and the topic do not see, nor what would give them
-- away. No row of the rule: everything is shown.
CREATE TABLE small_cell_rule (
    sector      text PRIMARY KEY,
    below       integer NOT NULL CHECK (below > 1),   -- counts from 1 up to less than this are hidden
    units       text[] NOT NULL                       -- of indicators that count persons and their visits
);

-- Which figures of a cell are hidden. A cell of a sector with a rule is shown only as it was when this was decided: one
-- that has changed since is not shown until the relay has looked at it again.
CREATE TABLE disclosure_cell (
    sector      text NOT NULL,
    period      text NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    figures_at  timestamptz NOT NULL,                 -- indicator_cell.updated_at of the figures that were looked at
    hidden      smallint[] NOT NULL,                  -- by indicator.slot
    PRIMARY KEY (sector, period, area_id, bucket)
) WITH (fillfactor = 60);

CREATE FUNCTION figures_shown(figures double precision[], hidden smallint[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN cardinality(hidden) = 0 THEN figures
            ELSE ARRAY(SELECT CASE WHEN n = ANY (hidden) THEN NULL ELSE f END
                       FROM unnest(figures) WITH ORDINALITY AS u (f, n) ORDER BY n) END;

-- Figures under other slots: what a swap shows in a cell before is what the replaced slots hold.
CREATE FUNCTION figures_before_swap(figures double precision[], old_slots integer[], new_slots integer[])
RETURNS double precision[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT CASE WHEN w.new_slot IS NULL THEN figures[n] ELSE figures[w.old_slot] END
             FROM generate_series(1, greatest(cardinality(figures), (SELECT max(s) FROM unnest(new_slots) AS s))) AS n
             LEFT JOIN unnest(old_slots, new_slots) AS w (old_slot, new_slot) ON w.new_slot = n ORDER BY n);

-- As indicator_cell, for readers.
CREATE VIEW shown_cell AS
SELECT c.sector, c.period, c.area_id, c.bucket,
       CASE WHEN r.sector IS NULL THEN c.figures WHEN d.sector IS NOT NULL THEN figures_shown(c.figures, d.hidden) END AS figures,
       c.updated_at
FROM indicator_cell c
LEFT JOIN small_cell_rule r ON r.sector = c.sector
LEFT JOIN disclosure_cell d ON d.sector = r.sector AND d.period = c.period AND d.area_id = c.area_id
    AND d.bucket = c.bucket AND d.figures_at = c.updated_at;

-- As indicator_value, for readers.
CREATE VIEW shown_value AS
SELECT i.code, i.version, i.sector, i.kind, i.unit, a.area_id, a.code AS area_code, a.level AS area_level,
       a.name_vi AS area_name, c.period, c.bucket, c.figures[i.slot] AS value, c.updated_at
FROM indicator i
JOIN shown_cell c ON c.sector = i.sector
JOIN area a ON a.area_id = c.area_id
WHERE i.live AND c.figures[i.slot] IS NOT NULL;

-- As indicator_status, for readers: of a hidden figure the status is shown, and no number.
CREATE VIEW shown_status AS
SELECT s.code, s.area_id, s.sector, s.unit, s.owner, s.status, s.since, s.period, s.bucket, s.through,
       CASE WHEN seen.ok THEN s.value END AS value, s.target_id, s.target_op, s.target, s.target_on, s.pace,
       CASE WHEN seen.ok THEN s.expected END AS expected, CASE WHEN seen.ok THEN s.lag END AS lag, s.lag_in,
       CASE WHEN seen.ok THEN s.lag_days END AS lag_days, CASE WHEN seen.ok THEN s.forecast END AS forecast,
       CASE WHEN seen.ok THEN s.forecast_low END AS forecast_low, CASE WHEN seen.ok THEN s.forecast_high END AS forecast_high,
       CASE WHEN seen.ok THEN s.needed_per_week END AS needed_per_week, s.unusual,
       CASE WHEN seen.ok THEN s.unusual_score END AS unusual_score, CASE WHEN seen.ok THEN s.usual END AS usual,
       s.settlement, s.reported, s.due, s.cause, s.computed_at
FROM indicator_status s
LEFT JOIN small_cell_rule r ON r.sector = s.sector
LEFT JOIN indicator i ON i.code = s.code AND i.live
LEFT JOIN indicator_cell c ON c.sector = r.sector AND c.period = s.period AND c.area_id = s.area_id AND c.bucket = s.bucket
LEFT JOIN disclosure_cell d ON d.sector = r.sector AND d.period = s.period AND d.area_id = s.area_id AND d.bucket = s.bucket
CROSS JOIN LATERAL (
    SELECT r.sector IS NULL OR coalesce(d.figures_at = c.updated_at AND NOT i.slot = ANY (d.hidden), false) AS ok
) seen;

-- As indicator_status_change, for readers: of a sector with a rule without the value, which may have been a small one then.
CREATE VIEW shown_status_change AS
SELECT h.changed_at, h.code, h.area_id, h.before, h.status, h.period, h.bucket, CASE WHEN r.sector IS NULL THEN h.value END AS value,
       h.expected, h.lag
FROM indicator_status_change h
LEFT JOIN indicator i ON i.code = h.code AND i.live
LEFT JOIN small_cell_rule r ON r.sector = i.sector;

CREATE OR REPLACE FUNCTION newest_day() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT bucket FROM shown_cell WHERE period = 'day' AND bucket <= current_date + 1 ORDER BY bucket DESC LIMIT 1
$$;

-- Whoever may see a board may send any SQL through its data source: it reads what readers may see, nothing behind it.
REVOKE SELECT ON indicator_cell, indicator_value, indicator_status, indicator_status_change FROM {grafana};
GRANT SELECT ON shown_cell, shown_value, shown_status, shown_status_change TO {grafana};

-- Figures at the close of a day, for readers: of a sector with a rule none, since what is hidden today was not hidden then.
CREATE VIEW shown_snapshot AS
SELECT n.taken_at, n.sector, n.period, n.area_id, n.bucket, CASE WHEN r.sector IS NULL THEN n.figures END AS figures, n.updated_at
FROM figure_snapshot n
LEFT JOIN small_cell_rule r ON r.sector = n.sector;
REVOKE SELECT ON figure_snapshot FROM {grafana};
GRANT SELECT ON shown_snapshot TO {grafana};

-- Statuses of a past moment, for readers: of a sector with a rule without numbers.
CREATE VIEW as_of.shown_status AS
SELECT s.code, s.area_id, s.sector, s.unit, s.owner, s.status, s.since, s.period, s.bucket, s.through,
       CASE WHEN r.sector IS NULL THEN s.value END AS value, s.target_id, s.target_op, s.target, s.target_on, s.pace,
       CASE WHEN r.sector IS NULL THEN s.expected END AS expected, CASE WHEN r.sector IS NULL THEN s.lag END AS lag, s.lag_in,
       s.lag_days, s.forecast, s.forecast_low, s.forecast_high, s.needed_per_week, s.unusual, s.unusual_score, s.usual,
       s.settlement, s.reported, s.due, s.cause, s.computed_at
FROM as_of.indicator_status s
LEFT JOIN public.small_cell_rule r ON r.sector = s.sector;
