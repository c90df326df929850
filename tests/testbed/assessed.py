"""Statuses, quality and incidents as they might stand at the end of a simulated month, for boards and rules to show.

They are of the right form and are made of the stored figures; who judges figures rightly is tested elsewhere.
"""

from __future__ import annotations

import psycopg

_STATUS = """
INSERT INTO indicator_status (code, area_id, sector, unit, owner, status, since, period, bucket, through, value,
target_op, target,
                              target_on, target_id, pace, expected, lag, lag_in, forecast, reported, due, computed_at)
SELECT f.code, f.area_id, f.sector, f.unit, f.owner, CASE
           WHEN f.value IS NULL THEN 'no_data' WHEN f.target IS NULL THEN 'no_target'
           WHEN f.missed AND abs(f.value - f.target) > 0.05 * abs(f.target) THEN 'lagging'
           WHEN f.missed THEN 'at_risk' ELSE 'on_track' END,
       timestamptz '2024-10-20 08:00+07', f.period, f.bucket,
       CASE WHEN f.bucket IS NOT NULL THEN least((f.bucket + period_step(f.period))::date - 1, f.day - 1) END,
       f.value, f.target_op, f.target, f.target_on, t.target_id, t.pace, f.target,
       CASE WHEN f.missed THEN CASE f.unit WHEN '%' THEN abs(f.value - f.target)
                               ELSE 100 * abs(f.value - f.target) / nullif(abs(f.target), 0) END ELSE 0 END,
       CASE f.unit WHEN '%' THEN 'point' ELSE '%' END, f.value, NULL, NULL, now()
FROM (
    SELECT a.day, i.code, a.area_id, i.sector, i.unit, i.owner, i.target_op, i.target, i.target_on, p.period,
    c.bucket, c.value,
           CASE i.target_op WHEN '>=' THEN c.value < i.target WHEN '<=' THEN c.value > i.target END AS missed
    FROM indicator i
    CROSS JOIN (SELECT area_id, day FROM area, newest_day() AS day
                WHERE day >= valid_from AND day < valid_to AND level IN ('province', 'district')) a
    CROSS JOIN LATERAL (SELECT CASE i.cadence WHEN 'monthly' THEN 'month' WHEN 'quarterly' THEN 'quarter'
                               WHEN 'yearly' THEN 'year'
                               ELSE 'day' END AS period) p
    LEFT JOIN LATERAL (
        SELECT c.bucket, c.figures[i.slot] AS value FROM indicator_cell c
        WHERE c.sector = i.sector AND c.period = p.period AND c.area_id = a.area_id AND c.bucket < a.day
          AND c.figures[i.slot] IS NOT NULL
        ORDER BY c.bucket DESC LIMIT 1
    ) c ON true
    WHERE i.live
) f
LEFT JOIN target t ON t.code = f.code AND t.ended_at IS NULL AND t.area_id IS NULL
ON CONFLICT DO NOTHING"""

_TARGET = """
INSERT INTO target (code, op, value, due_on, baseline, baseline_on, pace, source, origin)
SELECT code, target_op, target, target_on, NULL, NULL, CASE WHEN target_on IS NULL THEN 'at_once' ELSE 'linear' END,
'test', 'catalogue'
FROM indicator WHERE live AND target IS NOT NULL
ON CONFLICT DO NOTHING"""

_CHANGE = """
INSERT INTO indicator_status_change
SELECT since, code, area_id, 'on_track', status, period, bucket, value, expected, lag, NULL, NULL, NULL, false
FROM indicator_status WHERE status IN ('lagging', 'at_risk')"""

_QUALITY = """
INSERT INTO quality_measure (day, measure, feed, sector, area_id, numerator, denominator, detail, measured_at)
SELECT d::date, m.measure, f.key, f.domain, a.area_id, 1000 - m.wanting * (1 + f.feed_id % 4) * (1 + extract(day FROM
d)::int % 3), 1000,
       CASE m.measure WHEN 'complete' THEN '{"missing": [{"code": "77-747-0001", "name": "Nhà nghỉ Hương Thủy"}]}'
       ELSE '{}' END::jsonb, now()
FROM feed f
CROSS JOIN generate_series(newest_day() - 30, newest_day(), interval '1 day') AS d
CROSS JOIN (VALUES ('correct', 0), ('complete', 20), ('clean', 9), ('live', 1)) AS m (measure, wanting)
CROSS JOIN (SELECT area_id FROM area, newest_day() AS day
            WHERE level = 'province' AND day >= valid_from AND day < valid_to) a
ON CONFLICT DO NOTHING"""

_INCIDENT = """
INSERT INTO incident (cause, kind, severity, sector, feed, code, owner, title_vi, title_en, summary_vi, summary_en,
evidence, area_id,
                      period, bucket, value, expected, lag, unit, indicators, areas, since, opened_at, changed_at,
                      seen_at, step_at)
SELECT 'lagging:' || s.code, 'lagging', 'warning', s.sector, NULL, s.code, split_part(s.owner, '; ', 1),
       i.name_vi || ' chậm tiến độ', i.name_en || ' lags',
       'Đạt ' || amount_text(s.value, s.unit, 'vi') || ', kỳ vọng ' || amount_text(s.expected, s.unit, 'vi'),
       amount_text(s.value, s.unit, 'en') || ' of ' || amount_text(s.expected, s.unit, 'en') || ' expected',
       '{}', s.area_id,
       s.period, s.bucket, s.value, s.expected, s.lag, s.unit, 1, 3, now() - interval '2 days', now() - interval '1
       day', now(), now(),
       now() - interval '1 day'
FROM indicator_status s JOIN indicator i ON i.code = s.code AND i.live JOIN area a ON a.area_id = s.area_id
WHERE s.status = 'lagging' AND a.level = 'province'
ORDER BY s.lag DESC LIMIT 5
ON CONFLICT DO NOTHING"""

_SILENT = """
INSERT INTO incident (cause, kind, severity, sector, feed, owner, title_vi, title_en, summary_vi, summary_en,
evidence, since, opened_at,
                      changed_at, seen_at, closed_at, step_at)
VALUES ('feed_silent:tourism.stay', 'feed_silent', 'critical', 'lodging', 'tourism.stay',
        'Sở Du lịch', 'Nguồn lưu trú im lặng',
        'Lodging feed is silent', 'Không có dữ liệu mới', 'Nothing new', '{}', now() - interval '3 hours', now() -
        interval '2 hours',
        now(), now(), now() - interval '1 hour', now() - interval '2 hours')"""

_TOUCH = """
INSERT INTO incident_touch (incident_id, code, area_id, touched_at)
SELECT n.incident_id, s.code, s.area_id, n.opened_at FROM incident n JOIN indicator_status s ON s.code = n.code AND
s.status = 'lagging'
ON CONFLICT DO NOTHING"""

_HISTORY = """
INSERT INTO incident_change (incident_id, changed_at, what, severity, step, evidence)
SELECT incident_id, opened_at, 'opened', severity, step, '{}' FROM incident"""

_JOB = "INSERT INTO scheduler_job (job, finished_at) VALUES ('status', now()) ON CONFLICT DO NOTHING"


def put_assessed(connection: psycopg.Connection) -> None:
    """Fill the tables that the scheduler keeps, from the figures that are stored; as their owner."""
    for statement in (_TARGET, _STATUS, _CHANGE, _QUALITY, _INCIDENT, _SILENT, _TOUCH, _HISTORY, _JOB):
        connection.execute(statement.encode())
