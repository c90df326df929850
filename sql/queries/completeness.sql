-- Who should have reported for a figure, and who has.

-- name: select_expected
-- Reporters of a feed, and the places that its records name, that lie in the areas in the period.
-- %(said)s: codes that records of the period speak for.
SELECT p.code, min(p.name) AS name, p.code = ANY(%(said)s) AS reported
FROM reporter p JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND p.area_code = ANY(%(codes)s) AND p.valid_from <= %(end)s AND p.valid_to > %(start)s
GROUP BY p.code ORDER BY p.code

-- name: select_due
-- The reports that each reporter of the areas owed, one a deadline, and how many of them came.
-- %(reporters)s, %(days)s: who has reported for which day.
WITH owed AS (
    SELECT p.code, p.name, s.start::date AS start, (s.start + l.length - interval '1 day')::date AS finish
    FROM reporter p JOIN feed f USING (feed_id)
    CROSS JOIN LATERAL (SELECT CASE %(every)s WHEN 'quarter' THEN interval '3 months'
                                              ELSE ('1 ' || %(every)s)::interval END AS length) l
    CROSS JOIN LATERAL (SELECT greatest(p.valid_from, %(start)s::date) AS low,
                               least(p.valid_to - 1, %(end)s::date) AS high) b
    CROSS JOIN LATERAL generate_series(date_trunc(%(every)s, b.low), b.high, l.length) AS s (start)
    WHERE f.key = %(feed)s AND p.area_code = ANY(%(codes)s) AND b.low <= b.high
      AND s.start >= b.low AND s.start + l.length <= b.high + interval '1 day'
), said AS (
    SELECT * FROM unnest(%(reporters)s::text[], %(days)s::date[]) AS said (code, day)
)
SELECT o.code, min(o.name) AS name, count(*) AS due,
       count(*) FILTER (WHERE EXISTS (SELECT FROM said s WHERE s.code = o.code AND s.day BETWEEN o.start AND o.finish))
           AS sent
FROM owed o GROUP BY o.code ORDER BY count(*) FILTER (WHERE NOT EXISTS (
    SELECT FROM said s WHERE s.code = o.code AND s.day BETWEEN o.start AND o.finish)) DESC, o.code

-- name: select_agencies
-- Of a reported indicator: who answers for it, the first of its owners, and whoever has reported it here; where neither
-- is known, whoever has ever reported it.
WITH lead AS (
    SELECT p.code FROM indicator i
    JOIN feed f ON f.key = %(feed)s
    JOIN reporter p ON p.feed_id = f.feed_id AND p.name = trim(split_part(i.owner, ';', 1))
    WHERE i.code = %(indicator)s AND i.live AND p.valid_from <= %(end)s AND p.valid_to > %(start)s
), wanted AS (
    SELECT code FROM lead UNION SELECT unnest(%(said)s::text[])
), ever AS (
    SELECT DISTINCT reporter AS code FROM report_value
    WHERE indicator = %(indicator)s AND NOT EXISTS (SELECT FROM wanted)
)
SELECT w.code, coalesce(min(p.name), w.code) AS name, w.code = ANY(%(said)s) AS reported
FROM (SELECT code FROM wanted UNION SELECT code FROM ever) w
LEFT JOIN (reporter p JOIN feed f ON f.feed_id = p.feed_id AND f.key = %(feed)s) ON p.code = w.code
GROUP BY w.code ORDER BY w.code

-- name: select_agency_reports
-- Of a reported indicator: how many periods of its cadence lie wholly in the days, and for how many of them there is a
-- report; what another agency has reported, the one that answers for it does not owe.
WITH one AS (
    SELECT i.code, trim(split_part(i.owner, ';', 1)) AS lead,
           CASE i.cadence WHEN 'daily' THEN 'day' WHEN 'weekly' THEN 'week' WHEN 'monthly' THEN 'month'
                          WHEN 'quarterly' THEN 'quarter' ELSE 'year' END AS every
    FROM indicator i WHERE i.code = %(indicator)s AND i.live
), due AS (
    SELECT s.start::date AS start, (s.start + p.length - interval '1 day')::date AS finish
    FROM one CROSS JOIN LATERAL (SELECT CASE every WHEN 'quarter' THEN interval '3 months'
                                                   ELSE ('1 ' || every)::interval END AS length) p
    CROSS JOIN LATERAL generate_series(date_trunc(one.every, %(start)s::date), %(end)s::date, p.length) AS s (start)
    WHERE s.start >= %(start)s AND s.start + p.length <= %(end)s::date + interval '1 day'
), sent AS (
    SELECT DISTINCT r.period_start AS start
    FROM report_value r JOIN one ON r.indicator = one.code AND r.period = one.every
    WHERE r.area_id = ANY(%(units)s) AND r.period_start BETWEEN %(start)s AND %(end)s
)
SELECT a.code, min(a.name) AS name, count(*) AS due, count(s.start) AS sent
FROM one JOIN reporter a ON a.name = one.lead JOIN feed f ON f.feed_id = a.feed_id AND f.key = %(feed)s
JOIN due d ON d.start >= a.valid_from AND d.finish < a.valid_to
LEFT JOIN sent s ON s.start = d.start
GROUP BY a.code ORDER BY a.code
