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
