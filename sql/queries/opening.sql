-- Which days are open: a feed has counted something on them, somewhere in the province.

-- name: select_open_days
SELECT DISTINCT o.day FROM open_day o JOIN feed f USING (feed_id) WHERE f.key = ANY(%s) ORDER BY o.day

-- name: select_last_day
-- The last open day of any feed: as far as that, what stands is carried on.
SELECT max(day) AS day FROM open_day

-- name: select_days_by_feed
SELECT f.key AS feed, o.day FROM open_day o JOIN feed f USING (feed_id) WHERE f.key = ANY(%(feeds)s)

-- name: select_last_but
-- As select_last_day, without some days of some feeds.
SELECT max(o.day) AS day FROM open_day o JOIN feed f USING (feed_id)
WHERE NOT EXISTS (SELECT FROM unnest(%(feeds)s::text[], %(days)s::date[]) AS w (key, day)
                  WHERE w.key = f.key AND w.day = o.day)

-- name: select_counted_days
-- Of the given days of feeds, those that the province's cells say are open; where ends are foretold, only what begins
-- opens a day. The range is for the planner, which leaves chunks out by it.
SELECT DISTINCT w.feed_id, w.day
FROM unnest(%(feed_ids)s::int[], %(days)s::date[], %(foretells)s::boolean[]) AS w (feed_id, day, foretells)
JOIN measure_cell c ON c.feed_id = w.feed_id AND c.bucket = w.day
WHERE c.period = 'day' AND c.area_id = ANY(%(roots)s) AND c.bucket BETWEEN %(first)s AND %(last)s
  AND (NOT w.foretells OR 0 < ANY(c.sums))

-- name: open_days
-- Days of feeds that open; %(first_at)s: when the first contribution to each came.
WITH opened AS (
    INSERT INTO open_day (feed_id, day) SELECT * FROM unnest(%(feed_ids)s::int[], %(days)s::date[])
    ON CONFLICT DO NOTHING RETURNING feed_id, day
), kept AS (
    INSERT INTO open_day_change (feed_id, day, opened, changed_at)
    SELECT feed_id, day, true, w.at
    FROM opened JOIN unnest(%(feed_ids)s::int[], %(days)s::date[], %(first_at)s::timestamptz[]) AS w (feed_id, day, at)
      USING (feed_id, day)
)
SELECT feed_id, day FROM opened

-- name: shut_days
-- Days of feeds that shut; %(last_at)s: when the last contribution to each came.
WITH shut AS (
    DELETE FROM open_day o USING unnest(%(feed_ids)s::int[], %(days)s::date[]) AS w (feed_id, day)
    WHERE o.feed_id = w.feed_id AND o.day = w.day RETURNING o.feed_id, o.day
), kept AS (
    INSERT INTO open_day_change (feed_id, day, opened, changed_at)
    SELECT feed_id, day, false, w.at
    FROM shut JOIN unnest(%(feed_ids)s::int[], %(days)s::date[], %(last_at)s::timestamptz[]) AS w (feed_id, day, at)
      USING (feed_id, day)
)
SELECT feed_id, day FROM shut
