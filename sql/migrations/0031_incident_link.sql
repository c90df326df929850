-- An incident's signed address opens its page in the name of the post that is told. Whoever may see a board may send any SQL
-- through its data source: Grafana's role reads everything of an incident but that.
REVOKE SELECT ON incident FROM {grafana};
GRANT SELECT (incident_id, cause, kind, severity, sector, feed, code, owner, title_vi, title_en, summary_vi, summary_en, evidence,
              area_id, period, bucket, value, expected, lag, unit, forecast, indicators, areas, since, opened_at, changed_at,
              seen_at, closed_at, reopened, step, step_at, told, assigned_to, assigned_at, acknowledged_by, acknowledged_at,
              silenced_until, silenced_by, silence_reason) ON incident TO {grafana};
