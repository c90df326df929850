-- Which days are open: a feed has counted something on them, somewhere in the province.

-- name: select_open_days
SELECT DISTINCT o.day FROM open_day o JOIN feed f USING (feed_id) WHERE f.key = ANY(%s) ORDER BY o.day

-- name: select_last_day
-- The last open day of any feed: as far as that, what stands is carried on.
SELECT max(day) AS day FROM open_day

-- name: select_days_by_feed
SELECT f.key, o.day FROM open_day o JOIN feed f USING (feed_id) WHERE f.key = ANY(%(feeds)s)

-- name: select_last_but
-- As select_last_day, without some days of some feeds.
SELECT max(o.day) AS day FROM open_day o JOIN feed f USING (feed_id)
WHERE NOT EXISTS (SELECT FROM unnest(%(feeds)s::text[], %(days)s::date[]) AS w (key, day)
                  WHERE w.key = f.key AND w.day = o.day)

-- name: select_counted_days
-- Of the given days, those that the feed's cells say are open; where ends are foretold, only what begins opens a day.
SELECT DISTINCT c.bucket AS day FROM measure_cell c JOIN area a USING (area_id)
WHERE c.feed_id = %(feed_id)s AND c.period = 'day' AND c.bucket = ANY(%(days)s) AND a.parent_id IS NULL
  AND (NOT %(foretells)s OR 0 < ANY(c.sums))

-- name: open_days
INSERT INTO open_day (feed_id, day) SELECT %(feed_id)s, unnest(%(days)s::date[])
ON CONFLICT DO NOTHING RETURNING day

-- name: shut_days
DELETE FROM open_day WHERE feed_id = %(feed_id)s AND day = ANY(%(days)s) RETURNING day
