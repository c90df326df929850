-- What the pages show, read with the reader's role.

-- name: select_root
-- The province as it is on a day; the newest one where none is.
SELECT area_id, code, name_vi FROM area WHERE parent_id IS NULL
ORDER BY valid_from <= %(day)s AND valid_to > %(day)s DESC, valid_from DESC LIMIT 1

-- name: select_area
-- The unit that bears a code on a day; the newest that bore it where none does.
SELECT area_id, code, name_vi, parent_id FROM area WHERE code = %(code)s
ORDER BY valid_from <= %(day)s AND valid_to > %(day)s DESC, valid_from DESC LIMIT 1

-- name: count_statuses
-- By sector, how many indicators stand how in one area.
SELECT sector, count(*) FILTER (WHERE status = 'lagging') AS lagging,
       count(*) FILTER (WHERE status = 'at_risk') AS at_risk, count(*) FILTER (WHERE status = 'stale') AS stale,
       count(*) FILTER (WHERE status = 'incomplete') AS incomplete,
       count(*) FILTER (WHERE status = 'no_data') AS no_data,
       count(*) FILTER (WHERE status = 'on_track') AS on_track,
       count(*) FILTER (WHERE status = 'no_target') AS no_target, count(*) FILTER (WHERE unusual) AS unusual,
       max(computed_at) AS computed_at
FROM shown_status WHERE area_id = %(area_id)s
GROUP BY sector

-- name: count_indicators
SELECT sector, count(*) AS indicators FROM indicator WHERE live GROUP BY sector ORDER BY min(indicator_id)

-- name: list_statuses
-- Of one area: indicators of these statuses, the worst first.
SELECT s.code, i.name_vi, s.sector, s.unit, s.owner, s.status, s.since, s.period, s.bucket, s.through, s.value,
       s.target_op, s.target, s.target_on, s.expected, s.lag, s.lag_in, s.lag_days, s.forecast, s.needed_per_week,
       s.settlement, s.reported, s.due, s.cause, s.unusual, s.usual
FROM shown_status s JOIN indicator i ON i.code = s.code AND i.live
WHERE s.area_id = %(area_id)s AND s.status = ANY (%(statuses)s)
  AND (%(sector)s::text IS NULL OR s.sector = %(sector)s)
ORDER BY array_position(%(statuses)s, s.status), s.lag DESC NULLS LAST, i.indicator_id
LIMIT %(limit)s

-- name: count_causes
-- What is not known, by the feed at fault, or the agency that owes reports: how many indicators of one area, and since when.
-- Each is named once: several feeds or codes of one name are one line, whose first cause is given.
SELECT min(named.cause) AS cause, named.name_vi, named.is_agency, count(*) AS indicators, min(named.since) AS since
FROM (
    SELECT s.cause, s.since, coalesce(p.name, f.name_vi) AS name_vi, p.name IS NOT NULL AS is_agency
    FROM shown_status s
    LEFT JOIN feed f ON f.key = split_part(s.cause, ':', 1)
    LEFT JOIN LATERAL (SELECT r.name FROM reporter r WHERE r.feed_id = f.feed_id AND r.code = nullif(split_part(s.cause, ':', 2), '')
                       ORDER BY r.valid_from DESC LIMIT 1) p ON true
    WHERE s.area_id = %(area_id)s AND s.status = ANY (%(statuses)s)
) named
GROUP BY coalesce(named.name_vi, named.cause), named.name_vi, named.is_agency
ORDER BY indicators DESC, min(named.cause) LIMIT 20

-- name: list_changes
-- Indicators of one area whose status became another between two moments; the first status of a new one is no change.
SELECT c.changed_at, c.code, i.name_vi, i.unit, c.before, c.status, c.value, c.lag
FROM shown_status_change c JOIN indicator i ON i.code = c.code AND i.live
WHERE c.area_id = %(area_id)s AND c.changed_at > %(since)s AND c.changed_at <= %(until)s
  AND c.before IS NOT NULL
ORDER BY c.changed_at DESC LIMIT %(limit)s

-- name: list_due
-- Targets of one area that are due soon and not reached.
SELECT s.code, i.name_vi, s.unit, s.status, s.value, s.target_op, s.target, s.target_on, s.needed_per_week, s.owner
FROM shown_status s JOIN indicator i ON i.code = s.code AND i.live
WHERE s.area_id = %(area_id)s AND s.target_on BETWEEN %(day)s AND %(until)s AND s.status <> 'on_track'
ORDER BY s.target_on, s.lag DESC NULLS LAST LIMIT %(limit)s

-- name: list_unusual
SELECT s.code, i.name_vi, s.unit, s.value, s.usual, s.period, s.bucket, s.sector
FROM shown_status s JOIN indicator i ON i.code = s.code AND i.live
WHERE s.area_id = %(area_id)s AND s.unusual
ORDER BY abs(s.unusual_score) DESC NULLS LAST LIMIT %(limit)s

-- name: list_incidents
SELECT n.incident_id, n.kind, n.severity, n.sector, n.owner, n.title_vi, n.summary_vi, n.since, n.opened_at, n.closed_at,
       n.indicators, n.areas, n.step, n.acknowledged_by, n.acknowledged_at, n.assigned_to, n.silenced_until
FROM incident n
WHERE (n.closed_at IS NULL OR n.closed_at > %(since)s) AND (%(sector)s::text IS NULL OR n.sector = %(sector)s)
  AND (%(code)s::text IS NULL OR EXISTS (SELECT FROM incident_touch t
       WHERE t.incident_id = n.incident_id AND t.code = %(code)s AND t.ended_at IS NULL))
ORDER BY n.closed_at IS NOT NULL, array_position(ARRAY['critical', 'warning', 'info'], n.severity), n.opened_at DESC
LIMIT %(limit)s

-- name: select_incident
SELECT n.*, a.code AS area_code, a.name_vi AS area_name, f.name_vi AS feed_name, i.name_vi AS indicator_name
FROM incident n
LEFT JOIN area a USING (area_id)
LEFT JOIN feed f ON f.key = n.feed
LEFT JOIN indicator i ON i.code = n.code AND i.live
WHERE n.incident_id = %(incident_id)s

-- name: list_incident_changes
SELECT changed_at, what, by, through, note, step FROM incident_change
WHERE incident_id = %(incident_id)s ORDER BY change_id DESC LIMIT 50

-- name: list_incident_touches
SELECT t.code, i.name_vi, a.code AS area_code, a.name_vi AS area_name, s.status, s.value, s.expected, s.lag, s.lag_in,
       i.unit, count(*) OVER () AS total
FROM incident_touch t
JOIN area a USING (area_id)
JOIN indicator i ON i.code = t.code AND i.live
LEFT JOIN shown_status s ON s.code = t.code AND s.area_id = t.area_id
WHERE t.incident_id = %(incident_id)s AND t.ended_at IS NULL
ORDER BY a.parent_id IS NOT NULL, s.lag DESC NULLS LAST, i.indicator_id, t.area_id LIMIT 100

-- name: list_incident_receipts
SELECT sent_at, channel, recipient, step FROM notification_receipt
WHERE incident_id = %(incident_id)s ORDER BY sent_at DESC LIMIT 50

-- name: select_job
-- When statuses were last brought up to date.
SELECT max(finished_at) AS finished_at FROM scheduler_job WHERE job = 'status'

-- name: select_indicator
SELECT code, name_vi, name_en, sector, slot, kind, unit, owner, cadence, direction FROM indicator
WHERE live AND code = %(code)s

-- name: list_indicators
SELECT code, name_vi, unit, slot, kind, owner, cadence, coalesce(definition ->> 'breakdown', '') AS breakdown
FROM indicator WHERE live AND sector = %(sector)s ORDER BY indicator_id

-- name: list_area_statuses
-- How one indicator stands in the units below an area that are there on a day.
SELECT s.*, a.code AS area_code, a.name_vi AS area_name
FROM area a LEFT JOIN shown_status s ON s.area_id = a.area_id AND s.code = %(code)s
WHERE a.parent_id = %(area_id)s AND a.valid_from <= %(day)s AND a.valid_to > %(day)s
ORDER BY a.name_vi, a.code

-- name: list_area_ids
SELECT area_id, code AS area_code, name_vi AS area_name FROM area
WHERE parent_id = %(area_id)s AND valid_from <= %(day)s AND valid_to > %(day)s ORDER BY name_vi, code

-- name: select_status
SELECT s.*, t.source AS target_source,
       -- A target without a date of figures that begin anew each year has the year's own pace.
       CASE WHEN t.due_on IS NULL AND s.target_on IS NOT NULL THEN 0 ELSE t.baseline END AS baseline,
       CASE WHEN t.due_on IS NULL AND s.target_on IS NOT NULL THEN make_date(extract(year FROM s.target_on)::int - 1, 12, 31)
            ELSE t.baseline_on END AS baseline_on, t.steps, f.name_vi AS cause_name, p.name AS agency_name
FROM shown_status s
LEFT JOIN target t ON t.target_id = s.target_id
LEFT JOIN feed f ON f.key = split_part(s.cause, ':', 1)
LEFT JOIN LATERAL (SELECT r.name FROM reporter r WHERE r.feed_id = f.feed_id AND r.code = nullif(split_part(s.cause, ':', 2), '')
                   ORDER BY r.valid_from DESC LIMIT 1) p ON true
WHERE s.code = %(code)s AND s.area_id = %(area_id)s

-- name: select_course
-- The newest figures of one slot in an area, up to a day, newest first.
SELECT bucket, figures[%(slot)s] AS value FROM shown_cell
WHERE sector = %(sector)s AND period = %(period)s AND area_id = %(area_id)s AND bucket <= %(day)s AND bucket >= %(since)s
ORDER BY bucket DESC LIMIT %(limit)s

-- name: select_newest_figures
-- The last two periods of a sector in an area, newest first: the running one and the one before it.
SELECT bucket, figures FROM shown_cell
WHERE sector = %(sector)s AND period = %(period)s AND area_id = %(area_id)s AND bucket <= %(day)s
ORDER BY bucket DESC LIMIT 2

-- name: select_area_figures
-- One slot in the units below an area, in one period.
SELECT area_id, figures[%(slot)s] AS value FROM shown_cell
WHERE sector = %(sector)s AND period = %(period)s AND bucket = %(bucket)s
  AND area_id IN (SELECT area_id FROM area WHERE parent_id = %(area_id)s)

-- name: select_last_day
-- The newest business day with figures of the province, whatever unit it was then; reports may foretell later ones.
SELECT max(newest.bucket) AS day
FROM area a
CROSS JOIN LATERAL (
    SELECT bucket FROM shown_cell
    WHERE period = 'day' AND area_id = a.area_id AND bucket <= %(today)s ORDER BY bucket DESC LIMIT 1
) newest
WHERE a.parent_id IS NULL

-- name: select_acknowledged
-- When an open incident was taken on; no row for one that has ended.
SELECT acknowledged_at FROM incident WHERE incident_id = %s AND closed_at IS NULL

-- name: list_missing
-- Of a feed and area, on the newest day of a span on which somebody is missing: who, and how many.
SELECT q.detail -> 'missing' AS missing, q.denominator - q.numerator AS total FROM quality_measure q
WHERE q.measure = 'complete' AND q.feed = %(feed)s AND q.area_id = %(area_id)s AND q.reporter = ''
  AND q.day BETWEEN %(day)s AND %(until)s AND q.numerator < q.denominator
ORDER BY q.day DESC LIMIT 1
