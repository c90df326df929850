-- What the Grafana boards ask. %(name)s is bound when the board is built; ${name:sqlstring} and $__macros are
-- Grafana's. A panel that shows "now" takes the latest bucket up to the end of the board's time range, so that it
-- works for live and for simulated business dates alike. Where only a bucket is sought, indicator_cell is asked: the
-- view indicator_value has a row for each indicator of it.

-- name: area_choice
SELECT DISTINCT CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END AS __text, a.area_id::text AS __value
FROM area a
JOIN (
    SELECT max(c.bucket) AS latest
    FROM indicator_cell c JOIN area province ON province.area_id = c.area_id AND province.level = 'province'
    WHERE c.sector = ANY (%(sectors)s::text[]) AND c.period = 'day'
      AND c.bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
) seen ON seen.latest >= a.valid_from AND seen.latest < a.valid_to
WHERE a.level = ${level:sqlstring}
ORDER BY __text

-- name: indicator_choice
SELECT CASE %(language)s WHEN 'en' THEN name_en ELSE name_vi END || ' (' || unit || ')' AS __text, code AS __value
FROM indicator
WHERE live AND sector = ANY (%(sectors)s::text[])
ORDER BY sector, slot

-- name: feed_choice
SELECT CASE %(language)s WHEN 'en' THEN name_en ELSE name_vi END AS __text, key AS __value FROM feed ORDER BY key

-- name: indicator_latest
-- The value of the latest period, of the one before it, and the change in percent (of a percentage: in points).
WITH figure AS (
    SELECT bucket, value, unit FROM indicator_value
    WHERE code = %(code)s AND area_id = ${area:sqlstring}::integer AND period = ${period:sqlstring}
      AND bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
    ORDER BY bucket DESC LIMIT 1
)
SELECT figure.value, before.value AS previous,
       CASE figure.unit
           WHEN '%%' THEN figure.value - before.value
           ELSE 100 * (figure.value - before.value) / nullif(abs(before.value), 0)
       END AS change
FROM figure
LEFT JOIN indicator_value before
    ON before.code = %(code)s AND before.area_id = ${area:sqlstring}::integer AND before.period = ${period:sqlstring}
   AND before.bucket = (figure.bucket - CASE ${period:sqlstring}
           WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || ${period:sqlstring})::interval END)::date

-- name: indicator_series
SELECT bucket::timestamp AT TIME ZONE %(timezone)s AS "time", value
FROM indicator_value
WHERE code = %(code)s AND area_id = ${area:sqlstring}::integer AND period = ${period:sqlstring}
  AND bucket >= ($__timeFrom()::timestamptz AT TIME ZONE %(timezone)s)::date
  AND bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
ORDER BY 1

-- name: target_series
-- The target as a level line, only over the periods that have a value.
SELECT v.bucket::timestamp AT TIME ZONE %(timezone)s AS "time", i.target
FROM indicator i
JOIN indicator_value v USING (code)
WHERE i.live AND i.target IS NOT NULL AND i.code = %(code)s
  AND v.area_id = ${area:sqlstring}::integer AND v.period = ${period:sqlstring}
  AND v.bucket >= ($__timeFrom()::timestamptz AT TIME ZONE %(timezone)s)::date
  AND v.bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
ORDER BY 1

-- name: part_latest
-- The parts of a breakdown in the latest period, largest first.
SELECT part.label AS part, v.value
FROM unnest(%(codes)s::text[], %(labels)s::text[]) WITH ORDINALITY AS part (code, label, place)
JOIN indicator_value v USING (code)
WHERE v.area_id = ${area:sqlstring}::integer AND v.period = ${period:sqlstring}
  AND v.bucket = (
      SELECT max(bucket) FROM indicator_value
      WHERE code = ANY (%(codes)s::text[]) AND area_id = ${area:sqlstring}::integer AND period = ${period:sqlstring}
        AND bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date)
ORDER BY v.value DESC, part.place

-- name: part_series
SELECT v.bucket::timestamp AT TIME ZONE %(timezone)s AS "time", part.label AS metric, v.value
FROM unnest(%(codes)s::text[], %(labels)s::text[]) AS part (code, label)
JOIN indicator_value v USING (code)
WHERE v.area_id = ${area:sqlstring}::integer AND v.period = ${period:sqlstring}
  AND v.bucket >= ($__timeFrom()::timestamptz AT TIME ZONE %(timezone)s)::date
  AND v.bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
ORDER BY 1, 2

-- name: area_latest
-- The chosen area and the areas right below it, in the chosen area's latest period; long form, one row a code.
SELECT CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END AS area, v.code, v.value
FROM indicator_value v
JOIN area a ON a.area_id = v.area_id
WHERE v.code = ANY (%(codes)s::text[]) AND v.period = ${period:sqlstring}
  AND (a.area_id = ${area:sqlstring}::integer OR a.parent_id = ${area:sqlstring}::integer)
  AND v.bucket = (
      SELECT max(bucket) FROM indicator_value
      WHERE code = ANY (%(codes)s::text[]) AND area_id = ${area:sqlstring}::integer AND period = ${period:sqlstring}
        AND bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date)
ORDER BY a.area_id = ${area:sqlstring}::integer DESC, area, v.code

-- name: area_rank
-- One indicator, the areas right below the chosen one beside each other (a leaf: the area itself).
WITH shown AS (
    SELECT a.area_id, CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END AS name
    FROM area a
    WHERE a.parent_id = ${area:sqlstring}::integer
       OR (a.area_id = ${area:sqlstring}::integer
           AND NOT EXISTS (SELECT 1 FROM area b WHERE b.parent_id = ${area:sqlstring}::integer))
)
SELECT shown.name AS area, v.value
FROM shown
JOIN indicator_value v ON v.area_id = shown.area_id
WHERE v.code = %(code)s AND v.period = ${period:sqlstring}
  AND v.bucket = (
      SELECT max(bucket) FROM indicator_value
      WHERE code = %(code)s AND area_id = ${area:sqlstring}::integer AND period = ${period:sqlstring}
        AND bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date)
ORDER BY v.value DESC, area

-- name: indicator_table
-- Every live indicator of the sectors, with or without a value in the latest period.
WITH latest AS (
    SELECT sector, max(bucket) AS bucket FROM indicator_cell
    WHERE sector = ANY (%(sectors)s::text[]) AND area_id = ${area:sqlstring}::integer AND period = ${period:sqlstring}
      AND bucket <= ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
    GROUP BY sector
)
SELECT i.code, CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END AS name, i.unit,
       v.value, i.target_op || ' ' || i.target AS target, i.owner, v.updated_at
FROM indicator i
LEFT JOIN latest USING (sector)
LEFT JOIN indicator_value v
    ON v.code = i.code AND v.area_id = ${area:sqlstring}::integer AND v.period = ${period:sqlstring}
   AND v.bucket = latest.bucket
WHERE i.live AND i.sector = ANY (%(sectors)s::text[])
ORDER BY i.sector, i.slot

-- name: latest_day
-- The newest business day there is, whatever the board's time range, and a month up to it for the link (epoch ms).
SELECT to_char(latest, 'DD/MM/YYYY') AS day,
       (extract(epoch FROM (latest - 30)::timestamp AT TIME ZONE %(timezone)s) * 1000)::bigint::text AS from_ms,
       (extract(epoch FROM (latest + 1)::timestamp AT TIME ZONE %(timezone)s) * 1000)::bigint - 1 || '' AS to_ms
FROM (
    SELECT max(c.bucket) AS latest
    FROM indicator_cell c JOIN area province ON province.area_id = c.area_id AND province.level = 'province'
    WHERE c.sector = ANY (%(sectors)s::text[]) AND c.period = 'day'
) seen
WHERE latest IS NOT NULL

-- name: feed_freshness
-- Age of each feed's newest batch; overdue = age / cadence, above 1 the feed is stale; empty = nothing came yet.
SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed, newest.committed_at,
       extract(epoch FROM now() - newest.committed_at)::float8 AS age,
       extract(epoch FROM f.cadence)::float8 AS cadence,
       (extract(epoch FROM now() - newest.committed_at) / extract(epoch FROM f.cadence))::float8 AS overdue
FROM feed f
LEFT JOIN LATERAL (
    SELECT committed_at FROM stream_batch b WHERE b.feed_id = f.feed_id ORDER BY committed_at DESC LIMIT 1
) newest ON true
WHERE f.key = ANY (%(feeds)s::text[])
ORDER BY f.key

-- name: event_total
SELECT sum(b.consumed)::float8 AS received, sum(b.accepted)::float8 AS accepted, sum(b.rejected)::float8 AS rejected,
       sum(b.duplicate)::float8 AS duplicate, sum(b.corrected)::float8 AS corrected
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE $__timeFilter(b.committed_at) AND f.key IN (${feed:sqlstring})

-- name: event_rate
-- Events a second.
SELECT $__timeGroupAlias(b.committed_at, $__interval),
       sum(b.consumed) * 1000.0 / $__interval_ms AS received, sum(b.accepted) * 1000.0 / $__interval_ms AS accepted,
       sum(b.rejected) * 1000.0 / $__interval_ms AS rejected, sum(b.duplicate) * 1000.0 / $__interval_ms AS duplicate,
       sum(b.corrected) * 1000.0 / $__interval_ms AS corrected
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE $__timeFilter(b.committed_at) AND f.key IN (${feed:sqlstring})
GROUP BY 1
ORDER BY 1

-- name: feed_rate
SELECT $__timeGroupAlias(b.committed_at, $__interval),
       CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS metric,
       sum(b.consumed) * 1000.0 / $__interval_ms AS received
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE $__timeFilter(b.committed_at) AND f.key IN (${feed:sqlstring})
GROUP BY 1, 2
ORDER BY 1, 2

-- name: feed_table
SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed,
       sum(b.consumed)::float8 AS received, sum(b.accepted)::float8 AS accepted, sum(b.rejected)::float8 AS rejected,
       sum(b.duplicate)::float8 AS duplicate, sum(b.corrected)::float8 AS corrected, sum(b.voided)::float8 AS voided,
       sum(b.superseded)::float8 AS superseded,
       (100.0 * sum(b.accepted) / nullif(sum(b.consumed), 0))::float8 AS clean
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE $__timeFilter(b.committed_at) AND f.key IN (${feed:sqlstring})
GROUP BY 1
ORDER BY received DESC

-- name: latency_series
-- Seconds from Kafka's append to the commit, of the oldest event of each batch: an upper bound for every event in it.
SELECT $__timeGroupAlias(b.committed_at, $__interval),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM b.committed_at - b.oldest_received_at)) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM b.committed_at - b.oldest_received_at)) AS p95,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM b.committed_at - b.oldest_received_at)) AS p99
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE $__timeFilter(b.committed_at) AND f.key IN (${feed:sqlstring})
GROUP BY 1
ORDER BY 1

-- name: rejection_rule
SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed, r.rule, count(*) AS events,
       max(r.recorded_at) AS newest_at,
       (array_agg(r.reasons -> 0 ->> CASE %(language)s WHEN 'en' THEN 'message_en' ELSE 'message_vi' END
                  ORDER BY r.recorded_at DESC))[1] AS example
FROM rejected_event r
JOIN feed f USING (feed_id)
WHERE $__timeFilter(r.recorded_at) AND f.key IN (${feed:sqlstring})
GROUP BY 1, 2
ORDER BY events DESC
LIMIT 200

-- name: rejection_series
SELECT $__timeGroupAlias(r.recorded_at, $__interval), r.rule AS metric, count(*) AS events
FROM rejected_event r
JOIN feed f USING (feed_id)
WHERE $__timeFilter(r.recorded_at) AND f.key IN (${feed:sqlstring})
GROUP BY 1, 2
ORDER BY 1, 2

-- name: pending_delta
-- Contributions that are not folded yet; counted up to 100,000, because a roll-up that stands still leaves millions.
SELECT count(*) AS pending, coalesce(extract(epoch FROM now() - min(appended_at)), 0)::float8 AS age
FROM (SELECT appended_at FROM measure_delta LIMIT 100000) waiting

-- name: pending_relay
SELECT count(*) AS pending, coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8 AS age
FROM (SELECT recorded_at FROM rejected_event WHERE relayed_at IS NULL ORDER BY recorded_at LIMIT 100000) waiting

-- name: gap_total
SELECT coalesce(sum(to_offset - from_offset), 0)::float8 AS lost FROM stream_gap

-- name: gap_table
SELECT found_at, topic, partition, from_offset, to_offset, to_offset - from_offset AS lost
FROM stream_gap
ORDER BY found_at DESC
LIMIT 100

-- name: position_table
SELECT topic, partition, next_offset, updated_at, extract(epoch FROM now() - updated_at)::float8 AS age
FROM stream_position
ORDER BY topic, partition
