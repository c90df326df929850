-- What a leader's digest tells, of the province and some sectors. Texts are in Vietnamese; %(sectors)s: which they answer for.

-- name: select_judged_at
SELECT max(finished_at) AS judged_at FROM scheduler_job WHERE job = 'status'

-- name: count_by_status
SELECT s.status, count(*) AS indicators FROM indicator_status s
WHERE s.area_id = %(root)s AND s.sector = ANY (%(sectors)s) GROUP BY s.status

-- name: list_moved
-- Indicators that are now in another status than they were at a moment, with both; units below the province that lag.
SELECT s.code, i.name_vi AS name, was.before, s.status, amount_text(s.value, s.unit, 'vi') AS value,
       amount_text(s.expected, s.unit, 'vi') AS expected, lag_text(s.lag, s.lag_in, 'vi') AS lag,
       period_text(s.period, s.bucket, 'vi') AS period, below.names AS areas
FROM indicator_status s
JOIN indicator i ON i.code = s.code AND i.live
CROSS JOIN LATERAL (
    SELECT c.before FROM indicator_status_change c
    WHERE c.code = s.code AND c.area_id = s.area_id AND c.changed_at > %(since)s AND c.before IS NOT NULL
    ORDER BY c.changed_at LIMIT 1
) was
LEFT JOIN LATERAL (
    SELECT string_agg(worst.name_vi, ', ' ORDER BY worst.lag DESC) AS names
    FROM (SELECT a.name_vi, b.lag FROM indicator_status b JOIN area a USING (area_id)
          WHERE b.code = s.code AND b.status = 'lagging' AND a.parent_id = s.area_id ORDER BY b.lag DESC LIMIT 3) worst
) below ON true
WHERE s.area_id = %(root)s AND s.sector = ANY (%(sectors)s) AND was.before <> s.status
ORDER BY status_rank(s.status), s.lag DESC NULLS LAST, i.indicator_id

-- name: list_due
-- Targets that fall due within a span, or did within the week before, and are not reached.
SELECT s.code, i.name_vi AS name, amount_text(s.value, s.unit, 'vi') AS value,
       CASE s.target_op WHEN '>=' THEN '≥ ' ELSE '≤ ' END || amount_text(s.target, s.unit, 'vi') AS target, s.target_on AS due_on
FROM indicator_status s JOIN indicator i ON i.code = s.code AND i.live
WHERE s.area_id = %(root)s AND s.sector = ANY (%(sectors)s) AND s.target_on BETWEEN %(day)s - 7 AND %(until)s
  AND (s.value IS NULL OR CASE s.target_op WHEN '>=' THEN s.value < s.target ELSE s.value > s.target END)
ORDER BY s.target_on, s.lag DESC NULLS LAST, i.indicator_id

-- name: list_unknown
-- What is not known, by whose fault: a feed, an agency that has not reported, or nobody's. Each is named once.
SELECT count(*) AS indicators, min(named.since) AS since, min(named.cause) AS cause, named.source, named.is_agency
FROM (
    SELECT s.since, s.cause, coalesce(p.name, f.name_vi) AS source, p.name IS NOT NULL AS is_agency
    FROM indicator_status s
    LEFT JOIN feed f ON f.key = split_part(s.cause, ':', 1)
    LEFT JOIN LATERAL (SELECT r.name FROM reporter r WHERE r.feed_id = f.feed_id AND r.code = nullif(split_part(s.cause, ':', 2), '')
                       ORDER BY r.valid_from DESC LIMIT 1) p ON true
    WHERE s.area_id = %(root)s AND s.sector = ANY (%(sectors)s) AND s.status IN ('stale', 'incomplete', 'no_data')
) named
GROUP BY coalesce(named.source, named.cause), named.source, named.is_agency
ORDER BY indicators DESC, min(named.cause)

-- name: list_open
SELECT n.incident_id, n.title_vi AS title, n.severity, n.since, n.acknowledged_by, n.opened_at > %(since)s AS is_new
FROM incident n WHERE n.closed_at IS NULL AND n.severity <> 'info' AND n.sector = ANY (%(sectors)s)
ORDER BY array_position(ARRAY['critical', 'warning'], n.severity), n.opened_at DESC

-- name: list_ended
SELECT n.incident_id, n.title_vi AS title FROM incident n
WHERE n.closed_at > %(since)s AND n.severity <> 'info' AND n.sector = ANY (%(sectors)s) ORDER BY n.closed_at DESC
