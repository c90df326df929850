-- What the platform measures of itself, see docs/quality.md. A day of the account is that of the commit, in
-- [start, end); %(platform)s is the reporter that the platform speaks as: what it sends is no agency's report.

-- name: select_accounts
-- By feed: all events of the batches; those that were rejected because a field that must hold a value was absent or
-- null; and how many of the rejected, and of those, were the platform's own. A rejection belongs to the batch that its
-- offset lies in: its own time, that of the transaction's begin, may lie before midnight and the commit after it.
WITH batch AS (
    SELECT feed_id, topic, partition, min(first_offset) AS first_offset, max(next_offset) AS next_offset,
           sum(consumed) AS consumed, sum(accepted) AS accepted, sum(duplicate) AS duplicate
    FROM stream_batch
    WHERE committed_at >= %(start)s AND committed_at < %(end)s
    GROUP BY feed_id, topic, partition
), refused AS (
    SELECT b.feed_id, r.reporter IS NOT DISTINCT FROM %(platform)s AS own,
           r.reasons @> '[{"rule": "missing"}]' OR r.reasons @> '[{"value": "null"}]' AS lacking
    FROM batch b
    JOIN rejected_event r ON r.topic = b.topic AND r.partition = b.partition
     AND r.record_offset >= b.first_offset AND r.record_offset < b.next_offset
    WHERE r.recorded_at >= %(start)s - interval '1 hour' AND r.recorded_at < %(end)s + interval '1 hour'
)
SELECT f.key, sum(b.consumed)::bigint AS consumed, sum(b.accepted)::bigint AS accepted,
       sum(b.duplicate)::bigint AS duplicate,
       (SELECT count(*) FROM refused r WHERE r.feed_id = f.feed_id AND r.lacking) AS missing,
       (SELECT count(*) FROM refused r WHERE r.feed_id = f.feed_id AND r.own) AS own_rejected,
       (SELECT count(*) FROM refused r WHERE r.feed_id = f.feed_id AND r.own AND r.lacking) AS own_missing
FROM batch b
JOIN feed f USING (feed_id)
GROUP BY f.feed_id, f.key

-- name: count_own
-- How many of the platform's own reports were measured in [start, end), in milliseconds: their revisions say so.
SELECT (SELECT count(*) FROM report_value r
        WHERE r.reporter = %(platform)s AND r.revision >= %(start)s AND r.revision < %(end)s)
     + (SELECT count(*) FROM report_value r
        JOIN record_revision h ON h.key = r.key AND h.revision >= %(start)s AND h.revision < %(end)s
        WHERE r.reporter = %(platform)s)

-- name: select_newest
-- When the newest record of each feed was received, up to a moment: what the newest batches say that accepted
-- something. Partitions are committed in any order, so the last hour of batches is looked at.
SELECT f.key, newest.received_at
FROM feed f
CROSS JOIN LATERAL (
    SELECT committed_at FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.accepted > 0 AND b.committed_at < %(moment)s
    ORDER BY committed_at DESC LIMIT 1
) last
CROSS JOIN LATERAL (
    SELECT max(newest_received_at) AS received_at FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.accepted > 0 AND b.committed_at < %(moment)s
      AND b.committed_at > last.committed_at - interval '1 hour'
) newest

-- name: select_newest_report
-- The same of the agencies' reports, which share their batches with the platform's own.
SELECT max(received_at) FROM report_value WHERE reporter <> %(platform)s

-- name: select_deliveries
-- When each feed last delivered anything usable; a register that is published again unchanged is duplicates only.
SELECT f.key, last.committed_at
FROM feed f
CROSS JOIN LATERAL (
    SELECT committed_at FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.accepted + b.duplicate > 0 AND b.committed_at < %(moment)s
    ORDER BY committed_at DESC LIMIT 1
) last

-- name: count_indicators
-- Indicators at a moment. What is neither live nor retired was never shown.
SELECT count(DISTINCT code) FROM indicator
WHERE (live OR retired_at IS NOT NULL) AND created_at < %(moment)s
  AND (retired_at IS NULL OR retired_at >= %(moment)s)

-- name: count_added
-- Codes that appeared for the first time in [start, end); another version of a code is not a new indicator.
SELECT count(*) FROM (
    SELECT min(created_at) AS first_at FROM indicator WHERE live OR retired_at IS NOT NULL GROUP BY code
) code WHERE first_at >= %(start)s AND first_at < %(end)s

-- name: select_current
-- Which of the codes have a figure of the province in a period that begins in [since, day].
SELECT i.code
FROM unnest(%(codes)s::text[], %(periods)s::text[], %(since)s::date[]) AS wanted (code, period, since)
JOIN indicator i ON i.code = wanted.code AND i.live
WHERE EXISTS (
    SELECT FROM indicator_cell c
    WHERE c.sector = i.sector AND c.period = wanted.period AND c.area_id = ANY (%(areas)s)
      AND c.bucket >= wanted.since AND c.bucket <= %(day)s AND c.figures[i.slot] IS NOT NULL
)

-- name: select_agencies
-- Reporters of a feed whose records came in [start, moment); business days before `since` are not searched (null: all).
SELECT DISTINCT reporter FROM {table}
WHERE received_at >= %(start)s AND received_at < %(moment)s AND reporter <> %(platform)s
  AND effective_at >= coalesce(%(since)s::timestamptz, '-infinity')

-- name: select_own
-- What the platform's reports say as they stand.
SELECT indicator, area_code, period, period_start, value FROM report_value
WHERE reporter = %(platform)s AND effective_on >= %(since)s

-- name: count_alerts
-- Incidents of some kinds that were open at a moment, and until when incidents have been looked for.
SELECT (SELECT max(finished_at) FROM scheduler_job WHERE job = 'status') AS watched_at,
       (SELECT count(*) FROM incident WHERE kind = ANY (%(kinds)s) AND opened_at < %(moment)s
        AND (closed_at IS NULL OR closed_at >= %(moment)s)) AS alerts

-- name: select_first_load
SELECT min(created_at) FROM indicator WHERE live OR retired_at IS NOT NULL

-- name: select_first_reports
-- When the first report of each row and period came, of whatever area: a correction makes no report late. A revision that was
-- replaced says when it was stored, within a moment of its arrival.
SELECT r.indicator, r.period_start, min(least(r.received_at, (
           SELECT min(h.recorded_at) FROM record_revision h WHERE h.key = r.key AND h.record IS NOT NULL))) AS received_at
FROM report_value r
WHERE r.indicator = ANY (%(codes)s) AND r.period_start >= %(since)s AND r.effective_at >= %(since)s::date - 1
GROUP BY r.indicator, r.period_start
