-- What the alert rules ask. Grafana evaluates a query that returns text columns and one number as one alert a row,
-- labelled by the text. All text of a message is made here, in the language of the province; '–' = there is nothing to say.

-- name: incident_open
-- Incidents that are open, that nobody has acknowledged and that are not silenced; one row an incident and step of its
-- duty ladder. The row stays until the cause ends: a feed that falls silent, or a figure that is missing, ends nothing.
SELECT i.incident_id::text AS incident, 'open' AS event, i.kind, i.severity, i.sector, i.owner, i.step::text AS step,
       coalesce(nullif(i.told, ''), i.owner) AS recipient,
       coalesce(%(posts)s::jsonb ->> i.told, nullif(i.told, ''), i.owner)
           || CASE WHEN i.step > 0 THEN ' (bậc ' || i.step + 1 || ', vì bậc dưới chưa tiếp nhận)' ELSE '' END AS addressee,
       i.title_vi AS title, i.title_en, i.summary_vi AS summary,
       i.summary_en, coalesce(place.names, '–') AS places,
       coalesce(amount_text(i.value, i.unit, 'vi'), '–') AS figure,
       coalesce(amount_text(i.expected, i.unit, 'vi'), '–') AS expected,
       coalesce(CASE WHEN i.unit = '%%' THEN number_text(i.lag, 1, 'vi') || ' điểm %%' ELSE number_text(i.lag, 1, 'vi') || ' %%' END,
                '–') AS lag,
       coalesce(amount_text(i.forecast, i.unit, 'vi'), '–') AS forecast,
       coalesce(period_text(i.period, i.bucket, 'vi'), '–') AS period,
       day_text(coalesce(judged.through, newest_day()), 'vi') AS through,
       moment_text(i.since, %(timezone)s, 'vi') AS since, '–' AS ended,
       %(notice)s AS notice, target.path AS path, 1::float8 AS firing
FROM incident i
LEFT JOIN shown_status judged ON judged.code = i.code AND judged.area_id = i.area_id
CROSS JOIN LATERAL (
    SELECT string_agg(name_vi, ', ' ORDER BY name_vi) AS names
    FROM (SELECT DISTINCT a.name_vi FROM incident_touch t JOIN area a USING (area_id)
          WHERE t.incident_id = i.incident_id AND t.ended_at IS NULL LIMIT 10) touched
) place
-- A year's total is looked at as its days add up, beside its pace.
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM indicator d WHERE d.code = i.code AND d.live AND d.kind = 'flow') AS summed) target_kind
CROSS JOIN LATERAL (
    SELECT CASE WHEN i.code IS NOT NULL THEN 'ioc-indicator?var-sector=' || i.sector || '&var-indicator=' || i.code
                WHEN i.sector = 'platform' OR i.feed IS NOT NULL THEN 'ioc-pipeline'
                ELSE 'ioc-sector-' || i.sector || '?' END
           || CASE WHEN i.code IS NULL AND (i.sector = 'platform' OR i.feed IS NOT NULL)
                   THEN '?from=' || (extract(epoch FROM i.since - interval '6 hours') * 1000)::bigint || '&to=now'
                   ELSE coalesce('&var-area=' || i.area_id, '') || coalesce('&var-period=' || CASE WHEN i.period = 'year' AND target_kind.summed THEN 'total' ELSE i.period END, '')
                        || coalesce('&from=' || (extract(epoch FROM (i.bucket - 60)::timestamp AT TIME ZONE %(timezone)s) * 1000)::bigint
                                    || '&to=' || (extract(epoch FROM (i.bucket + 31)::timestamp AT TIME ZONE %(timezone)s) * 1000)::bigint, '')
              END AS path
) target
WHERE i.closed_at IS NULL AND i.acknowledged_at IS NULL AND (i.silenced_until IS NULL OR i.silenced_until <= now())
  AND i.severity <> 'info'

-- name: incident_closed
-- Incidents that ended in the last six hours: the message that it is over says when it began and when it ended. Nothing is
-- said of one that was over before anybody could have been told.
SELECT i.incident_id::text AS incident, 'closed' AS event, i.kind, i.severity, i.sector, i.owner, i.step::text AS step,
       coalesce(nullif(i.told, ''), i.owner) AS recipient,
       coalesce(%(posts)s::jsonb ->> i.told, nullif(i.told, ''), i.owner) AS addressee, i.title_vi AS title, i.title_en,
       'Đã kết thúc, mở trong ' || duration_text(i.closed_at - i.opened_at, 'vi') AS summary,
       'Over; it was open for ' || duration_text(i.closed_at - i.opened_at, 'en') AS summary_en,
       '–' AS places, '–' AS figure, '–' AS expected, '–' AS lag, '–' AS forecast, '–' AS period, day_text(newest_day(), 'vi') AS through,
       moment_text(i.since, %(timezone)s, 'vi') AS since, moment_text(i.closed_at, %(timezone)s, 'vi') AS ended,
       %(notice)s AS notice, 'ioc-incident' AS path, 1::float8 AS firing
FROM incident i
WHERE i.closed_at > now() - interval '6 hours' AND i.severity <> 'info' AND i.closed_at > i.opened_at + interval '1 minute'

-- name: scheduler_silence
-- Minutes since any job that keeps statuses and incidents current has finished; a job that never ran is no good sign.
SELECT coalesce(extract(epoch FROM now() - max(finished_at)) / 60, 1e6)::float8 AS silence FROM scheduler_job
