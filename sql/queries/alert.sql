-- What the alert rules ask. Grafana evaluates a query that returns text columns and one number as one alert a row,
-- labelled by the text; so each rule asks the same question once for each number it needs: %(figure)s names it.

-- name: indicator_pace
-- Where an indicator with a target stands against its pace, by area (the province and the units right below it).
--   figure: lag (percent of the expected value, below 0.1 = on track), value, expected, target,
--           children (areas right below), lagging (those of them that lag).
-- Stale and incomplete come before lagging: no row at all while one of its feeds is silent or has never sent, and
-- only periods count that are over, that is, a later day already has data and that day is not in the future.
-- Pace: a flow or distinct count with a date is a total of the year of that date, due in equal parts a day; any other
-- kind moves in a straight line from its first known value to the target on its date; without a date the target
-- holds at once.
WITH subject AS (
    SELECT code, sector, target_op, target, target_on, yearly, CASE WHEN yearly THEN 'year' ELSE p.period END AS period,
           CASE p.period WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || p.period)::interval END AS step
    FROM indicator
    CROSS JOIN LATERAL (
        SELECT target_on IS NOT NULL AND kind IN ('flow', 'distinct') AS yearly,
               CASE cadence WHEN 'weekly' THEN 'week' WHEN 'monthly' THEN 'month' WHEN 'quarterly' THEN 'quarter'
                            WHEN 'yearly' THEN 'year' ELSE 'day' END AS period
    ) p
    WHERE live AND code = %(code)s AND target IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM feed f
          WHERE f.key = ANY (%(feeds)s::text[])
            AND NOT EXISTS (SELECT 1 FROM stream_batch b
                            WHERE b.feed_id = f.feed_id AND b.committed_at > now() - f.cadence))
), newest AS (
    SELECT s.sector, max(c.bucket) AS day
    FROM subject s
    JOIN indicator_cell c ON c.sector = s.sector AND c.period = 'day'
    JOIN area a ON a.area_id = c.area_id AND a.level = 'province'
    GROUP BY s.sector
), complete AS (
    SELECT max(c.bucket) AS through
    FROM newest n
    JOIN indicator_cell c ON c.sector = n.sector AND c.period = 'day'
    JOIN area a ON a.area_id = c.area_id AND a.level = 'province'
    WHERE c.bucket < n.day AND c.bucket < (now() AT TIME ZONE %(timezone)s)::date
), due AS (
    -- The year of the target's date, however much of it is over; or the last period that is over.
    SELECT s.*, CASE WHEN s.yearly THEN date_trunc('year', s.target_on)::date
                     ELSE (date_trunc(s.period, c.through + interval '1 day') - s.step)::date END AS bucket,
           CASE WHEN s.yearly THEN c.through
                ELSE (date_trunc(s.period, c.through + interval '1 day'))::date - 1 END AS through
    FROM subject s
    CROSS JOIN complete c
), figure AS (
    SELECT d.*, v.area_id, v.area_code, v.area_name, v.value
    FROM due d
    JOIN indicator_value v ON v.code = d.code AND v.period = d.period AND v.bucket = d.bucket
), expectation AS (
    SELECT f.*,
           CASE
               WHEN f.target_on IS NULL OR f.through >= f.target_on THEN f.target
               WHEN f.yearly THEN f.target * least(1, (f.through - f.bucket + 1)::float8
                                                     / (f.target_on - f.bucket + 1))
               WHEN base.bucket IS NULL THEN f.target
               ELSE base.value + (f.target - base.value) * (f.bucket - base.bucket)::float8
                                                         / nullif(f.target_on - base.bucket, 0)
           END AS expected
    FROM figure f
    LEFT JOIN LATERAL (
        SELECT v.bucket, v.value FROM indicator_value v
        WHERE v.code = f.code AND v.area_id = f.area_id AND v.period = f.period
        ORDER BY v.bucket LIMIT 1
    ) base ON f.target_on IS NOT NULL AND NOT f.yearly
), standing AS (
    SELECT e.*,
           CASE WHEN (e.target_op = '>=' AND e.value < e.expected) OR (e.target_op = '<=' AND e.value > e.expected)
                THEN coalesce(100 * abs(e.value - e.expected) / nullif(abs(e.expected), 0), 100)
                ELSE 0 END AS lag
    FROM expectation e
), spread AS (
    SELECT s.*, child.children, child.lagging
    FROM standing s
    CROSS JOIN LATERAL (
        SELECT count(*)::float8 AS children, count(*) FILTER (WHERE c.lag >= 0.1)::float8 AS lagging
        FROM standing c JOIN area a ON a.area_id = c.area_id
        WHERE a.parent_id = s.area_id
    ) child
)
SELECT s.area_name AS area, s.area_code, s.area_id::text AS area_id, a.level AS area_level, %(figure)s AS value
FROM spread s
JOIN area a ON a.area_id = s.area_id
LEFT JOIN area parent ON parent.area_id = a.parent_id
WHERE a.level = 'province' OR parent.level = 'province'
ORDER BY s.area_id

-- name: feed_rejected_share
-- Percent of the last day's events of these feeds that were rejected: a likely cause of a lag.
SELECT coalesce(100.0 * sum(b.rejected) / nullif(sum(b.consumed), 0), 0)::float8 AS value
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE f.key = ANY (%(feeds)s::text[]) AND b.committed_at > now() - interval '1 day'

-- name: feed_age
-- figure: overdue (age / cadence), age and cadence (minutes). No row before the first batch, and none while every
-- live feed is silent: then it is the pipeline that stands still, and one alert says so.
WITH seen AS (
    SELECT f.key, f.cadence, now() - newest.committed_at AS silence
    FROM feed f
    CROSS JOIN LATERAL (
        SELECT committed_at FROM stream_batch b WHERE b.feed_id = f.feed_id ORDER BY committed_at DESC LIMIT 1
    ) newest
), aged AS (
    SELECT key, extract(epoch FROM silence)::float8 / extract(epoch FROM cadence)::float8 AS overdue,
           extract(epoch FROM silence)::float8 / 60 AS age, extract(epoch FROM cadence)::float8 / 60 AS cadence
    FROM seen
    WHERE NOT (SELECT coalesce(bool_and(silence > cadence), false) FROM seen WHERE cadence <= interval '1 hour')
)
SELECT %(figure)s AS value FROM aged WHERE key = %(feed)s

-- name: pipeline_silence
-- figure: overdue of the least silent live feed (a feed that is expected at least every hour), or its age in minutes.
WITH seen AS (
    SELECT extract(epoch FROM now() - newest.committed_at)::float8 AS silence,
           extract(epoch FROM f.cadence)::float8 AS cadence
    FROM feed f
    CROSS JOIN LATERAL (
        SELECT committed_at FROM stream_batch b WHERE b.feed_id = f.feed_id ORDER BY committed_at DESC LIMIT 1
    ) newest
    WHERE f.cadence <= interval '1 hour'
), least_silent AS (
    SELECT silence / cadence AS overdue, silence / 60 AS age FROM seen ORDER BY silence / cadence LIMIT 1
)
SELECT %(figure)s AS value FROM least_silent

-- name: partition_standstill
-- Minutes since a partition's position moved, where others of its topic moved within 5 minutes; 0 elsewhere.
SELECT p.topic, p.partition::text AS partition,
       CASE WHEN max(p.updated_at) OVER (PARTITION BY p.topic) > now() - interval '5 minutes'
            THEN extract(epoch FROM now() - p.updated_at)::float8 / 60 ELSE 0 END AS value
FROM stream_position p
WHERE p.next_offset > 0

-- name: rollup_age
-- Seconds that the oldest contribution has been waiting to be folded.
SELECT coalesce(extract(epoch FROM now() - min(appended_at)), 0)::float8 AS value
FROM (SELECT appended_at FROM measure_delta LIMIT 100000) waiting

-- name: relay_age
-- Seconds that the oldest rejected event has been waiting for the dead-letter topic.
SELECT coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8 AS value
FROM rejected_event WHERE relayed_at IS NULL

-- name: gap_lost
-- Offsets lost by topic in the last day, that is, deleted by Kafka before they were read.
SELECT topic, sum(to_offset - from_offset)::float8 AS value
FROM stream_gap WHERE found_at > now() - interval '1 day' GROUP BY topic

-- name: rejection_share
-- Percent rejected by feed in the last 15 minutes, of feeds with at least 100 events in that time.
SELECT f.key AS feed, f.name_vi AS feed_name, (100.0 * sum(b.rejected) / sum(b.consumed))::float8 AS value
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE b.committed_at > now() - interval '15 minutes'
GROUP BY f.key, f.name_vi
HAVING sum(b.consumed) >= 100

-- name: datasource
SELECT 1::float8 AS value
