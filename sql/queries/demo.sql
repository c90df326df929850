-- What the demo's live table and its account read, as the reader.

-- name: feed_counts
SELECT f.key, f.name_vi, coalesce(sum(b.consumed), 0)::bigint, coalesce(sum(b.accepted), 0)::bigint,
       coalesce(sum(b.rejected), 0)::bigint, coalesce(sum(b.duplicate), 0)::bigint,
       coalesce(sum(b.corrected), 0)::bigint, coalesce(sum(b.voided), 0)::bigint
FROM feed f LEFT JOIN stream_batch b USING (feed_id)
GROUP BY f.key, f.name_vi

-- name: latencies
-- Seconds from Kafka's acknowledgement of a batch's oldest event to the commit, and how many events had at most that.
SELECT extract(epoch FROM committed_at - oldest_received_at)::double precision, consumed
FROM stream_batch WHERE committed_at > clock_timestamp() - make_interval(secs => %s)

-- name: newest_age
SELECT extract(epoch FROM clock_timestamp() - max(newest_received_at))::double precision
FROM stream_batch WHERE committed_at > clock_timestamp() - interval '10 minutes'

-- name: figures
SELECT code, area_code, value FROM indicator_value
WHERE code = ANY(%(codes)s) AND period = 'month' AND bucket = %(month)s AND area_level IN ('province', 'district')

-- name: indicators
SELECT code, name_vi, unit FROM indicator WHERE live AND code = ANY(%s)

-- name: districts
SELECT code, name_vi FROM area
WHERE level = 'district' AND valid_from <= %(on)s AND valid_to > %(on)s ORDER BY code

-- name: reporters_of_day
-- Establishments that have reported a day, and those expected to.
SELECT (SELECT count(DISTINCT reporter) FROM tourism_daily_report WHERE effective_on = %(on)s),
       (SELECT count(*) FROM reporter JOIN feed USING (feed_id)
        WHERE key = 'tourism.daily_report' AND valid_from <= %(on)s AND valid_to > %(on)s)

-- name: waiting
-- Contributions that the roll-up has not folded yet, and periods whose figures it has postponed.
SELECT (SELECT count(*) FROM measure_delta) + (SELECT count(*) FROM member_delta) + (SELECT count(*) FROM figure_postponed)

-- name: positions
SELECT topic, partition, next_offset FROM stream_position WHERE topic = ANY(%s)

-- name: province_totals
SELECT code, sum(value) FROM indicator_value
WHERE code = ANY(%s) AND period = 'month' AND area_level = 'province'
GROUP BY code
