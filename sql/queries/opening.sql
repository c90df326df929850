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
-- Days that open; %(first_at)s: when the first contribution to each came.
WITH opened AS (
    INSERT INTO open_day (feed_id, day) SELECT %(feed_id)s, unnest(%(days)s::date[])
    ON CONFLICT DO NOTHING RETURNING day
), kept AS (
    INSERT INTO open_day_change (feed_id, day, opened, changed_at)
    SELECT %(feed_id)s, day, true, w.at
    FROM opened JOIN unnest(%(days)s::date[], %(first_at)s::timestamptz[]) AS w (day, at) USING (day)
)
SELECT day FROM opened

-- name: shut_days
-- Days that shut; %(last_at)s: when the last contribution to each came.
WITH shut AS (
    DELETE FROM open_day WHERE feed_id = %(feed_id)s AND day = ANY(%(days)s) RETURNING day
), kept AS (
    INSERT INTO open_day_change (feed_id, day, opened, changed_at)
    SELECT %(feed_id)s, day, false, w.at
    FROM shut JOIN unnest(%(days)s::date[], %(last_at)s::timestamptz[]) AS w (day, at) USING (day)
)
SELECT day FROM shut
