-- Incidents: what the scheduler writes, what people do about them, and what is shown.

-- name: select_current
-- Those that are open, and those that closed lately, newest first.
SELECT i.incident_id, i.cause, i.kind, i.severity, i.sector, i.opened_at, i.seen_at, i.closed_at, i.reopened, i.step,
       i.step_at, i.acknowledged_at, i.silenced_until, i.area_id
FROM incident i
WHERE i.closed_at IS NULL OR i.closed_at > %(since)s
ORDER BY i.closed_at IS NOT NULL, i.closed_at DESC, i.incident_id DESC

-- name: select_touches
SELECT incident_id, code, area_id FROM incident_touch WHERE incident_id = ANY (%s) AND ended_at IS NULL

-- name: insert
INSERT INTO incident (cause, kind, severity, sector, feed, code, owner, title_vi, title_en, summary_vi, summary_en,
                      evidence, area_id, period, bucket, value, expected, lag, unit, forecast, indicators, areas, link,
                      since, opened_at, changed_at, seen_at, step, step_at, told)
VALUES (%(cause)s, %(kind)s, %(severity)s, %(sector)s, %(feed)s, %(code)s, %(owner)s, %(title_vi)s, %(title_en)s,
        %(summary_vi)s, %(summary_en)s, %(evidence)s, %(area_id)s, %(period)s, %(bucket)s, %(value)s, %(expected)s,
        %(lag)s, %(unit)s, %(forecast)s, %(indicators)s, %(areas)s, %(link)s, %(since)s, %(now)s, %(now)s, %(now)s, 0,
        %(now)s, %(told)s)
RETURNING incident_id

-- name: refresh
-- What is known now of one that is open.
UPDATE incident
SET severity = %(severity)s, owner = %(owner)s, title_vi = %(title_vi)s, title_en = %(title_en)s,
    summary_vi = %(summary_vi)s, summary_en = %(summary_en)s, evidence = %(evidence)s, area_id = %(area_id)s,
    period = %(period)s, bucket = %(bucket)s, value = %(value)s, expected = %(expected)s, lag = %(lag)s,
    unit = %(unit)s, forecast = %(forecast)s, indicators = %(indicators)s, areas = %(areas)s,
    link = %(link)s,
    seen_at = %(now)s, changed_at = CASE WHEN %(changed)s THEN %(now)s ELSE changed_at END
WHERE incident_id = %(incident_id)s

-- name: reopen
-- What was done about it before holds for what was known then: it is told anew, from the first step.
UPDATE incident
SET closed_at = NULL, reopened = reopened + 1, changed_at = %(now)s, seen_at = %(now)s, step = 0, step_at = %(now)s,
    told = %(told)s, acknowledged_at = NULL, acknowledged_by = NULL
WHERE incident_id = %(incident_id)s

-- name: close
UPDATE incident SET closed_at = %(now)s, changed_at = %(now)s WHERE incident_id = %(incident_id)s

-- name: end_touches
UPDATE incident_touch SET ended_at = %(now)s
WHERE incident_id = %(incident_id)s AND ended_at IS NULL
  AND (code, area_id) NOT IN (SELECT c, a FROM unnest(%(codes)s::text[], %(areas)s::int[]) AS kept (c, a))

-- name: insert_touches
INSERT INTO incident_touch (incident_id, code, area_id, touched_at)
SELECT %(incident_id)s, c, a, %(now)s FROM unnest(%(codes)s::text[], %(areas)s::int[]) AS touch (c, a)
ON CONFLICT (incident_id, code, area_id) DO UPDATE SET ended_at = NULL WHERE incident_touch.ended_at IS NOT NULL

-- name: insert_change
INSERT INTO incident_change (incident_id, changed_at, what, by, through, note, severity, step, evidence)
SELECT incident_id, %(now)s, %(what)s, %(by)s, %(through)s, %(note)s, severity, step,
       evidence || jsonb_build_object('value', value, 'expected', expected, 'lag', lag, 'title_vi', title_vi)
FROM incident WHERE incident_id = %(incident_id)s

-- name: step_up
UPDATE incident SET step = %(step)s, step_at = %(now)s, told = %(told)s, changed_at = %(now)s
WHERE incident_id = %(incident_id)s

-- name: lock
SELECT incident_id, closed_at, acknowledged_by, assigned_to, silenced_until FROM incident WHERE incident_id = %s FOR UPDATE

-- name: acknowledge
UPDATE incident SET acknowledged_by = %(by)s, acknowledged_at = %(now)s, changed_at = %(now)s
WHERE incident_id = %(incident_id)s

-- name: silence
UPDATE incident SET silenced_until = %(until)s, silenced_by = %(by)s, silence_reason = %(note)s, changed_at = %(now)s
WHERE incident_id = %(incident_id)s

-- name: assign
UPDATE incident SET assigned_to = %(to)s, assigned_at = %(now)s, changed_at = %(now)s
WHERE incident_id = %(incident_id)s

-- name: list_incidents
SELECT i.incident_id, i.kind, i.severity, i.sector, i.feed, i.code, i.owner, i.title_vi, i.title_en, i.summary_vi,
       i.summary_en, i.area_id, a.code AS area_code, a.name_vi AS area_name, i.period, i.bucket, i.value, i.expected,
       i.lag, i.unit, i.forecast, i.indicators, i.areas, i.link, i.since, i.opened_at, i.changed_at, i.closed_at,
       i.reopened, i.step, i.step_at, i.told, i.assigned_to, i.acknowledged_by, i.acknowledged_at, i.silenced_until,
       i.silenced_by, i.silence_reason
FROM incident i LEFT JOIN area a USING (area_id)
WHERE (%(all)s OR i.closed_at IS NULL)
  AND (%(sector)s::text IS NULL OR i.sector = %(sector)s)
  AND (%(kind)s::text IS NULL OR i.kind = %(kind)s)
ORDER BY i.closed_at IS NOT NULL, array_position(ARRAY['critical', 'warning', 'info'], i.severity), i.opened_at DESC
LIMIT %(limit)s OFFSET %(offset)s

-- name: show_incident
SELECT i.*, a.code AS area_code, a.name_vi AS area_name
FROM incident i LEFT JOIN area a USING (area_id) WHERE i.incident_id = %s

-- name: list_changes
SELECT changed_at, what, by, through, note, severity, step, evidence FROM incident_change
WHERE incident_id = %s ORDER BY change_id

-- name: list_touches
SELECT t.code, n.name_vi, t.area_id, a.code AS area_code, a.name_vi AS area_name, t.touched_at, t.ended_at, s.status,
       s.value, s.expected, s.lag, s.unit
FROM incident_touch t
JOIN area a USING (area_id)
LEFT JOIN indicator n ON n.code = t.code AND n.live
LEFT JOIN shown_status s ON s.code = t.code AND s.area_id = t.area_id
WHERE t.incident_id = %(incident_id)s
ORDER BY t.ended_at IS NOT NULL, s.lag DESC NULLS LAST, t.code, t.area_id
LIMIT %(limit)s

-- name: list_receipts
SELECT sent_at, sender, channel, recipient, step, subject FROM notification_receipt
WHERE incident_id = %s ORDER BY sent_at
