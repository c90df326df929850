-- name: take_unrelayed
-- The oldest that wait, at most so many, and no more after the first 8 MiB of payloads.
WITH next AS (
    SELECT recorded_at, topic, partition, record_offset, position,
           sum(bytes) OVER (ORDER BY recorded_at, topic, partition, record_offset, position) - bytes AS before
    FROM (SELECT recorded_at, topic, partition, record_offset, position, coalesce(octet_length(payload), 0) AS bytes
          FROM rejected_event WHERE relayed_at IS NULL
          ORDER BY recorded_at, topic, partition, record_offset, position LIMIT %s) waiting
)
SELECT f.key AS feed, r.recorded_at, r.topic, r.partition, r.record_offset, r.position, r.reporter, r.event_id, r.reasons,
       r.payload
FROM next JOIN rejected_event r USING (recorded_at, topic, partition, record_offset, position) JOIN feed f USING (feed_id)
WHERE next.before < 8 * 1024 * 1024 AND r.relayed_at IS NULL
ORDER BY r.recorded_at, r.topic, r.partition, r.record_offset, r.position
FOR UPDATE OF r SKIP LOCKED

-- name: mark_relayed
UPDATE rejected_event SET relayed_at = clock_timestamp()
WHERE recorded_at = %s AND topic = %s AND partition = %s AND record_offset = %s AND position = %s

-- name: list_causes
SELECT f.key AS feed, r.rule, r.reasons -> 0 ->> 'field' AS field, r.reasons -> 0 ->> 'message_vi' AS message_vi,
       r.reasons -> 0 ->> 'message_en' AS message_en, count(*) AS events,
       count(*) FILTER (WHERE r.replayed_at IS NULL AND r.payload IS NOT NULL) AS replayable,
       min(r.recorded_at) AS first_at, max(r.recorded_at) AS last_at
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE r.recorded_at >= now() - %(within)s::interval AND (%(feed)s::text IS NULL OR f.key = %(feed)s)
GROUP BY 1, 2, 3, 4, 5 ORDER BY events DESC, 1, 2, 3

-- name: show_events
SELECT f.key AS feed, r.recorded_at, r.topic, r.partition, r.record_offset, r.position, r.reporter, r.event_id,
       r.rule, r.reasons, r.relayed_at, r.replayed_at, octet_length(r.payload) AS payload_bytes
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE r.recorded_at >= now() - %(within)s::interval AND (%(feed)s::text IS NULL OR f.key = %(feed)s)
  AND (%(rule)s::text IS NULL OR r.rule = %(rule)s)
ORDER BY r.recorded_at DESC LIMIT %(limit)s

-- name: take_replayable
-- As take_unrelayed, of what a feed refused and was not replayed yet.
WITH next AS (
    SELECT recorded_at, topic, partition, record_offset, position,
           sum(bytes) OVER (ORDER BY recorded_at, topic, partition, record_offset, position) - bytes AS before
    FROM (SELECT r.recorded_at, r.topic, r.partition, r.record_offset, r.position, octet_length(r.payload) AS bytes
          FROM rejected_event r JOIN feed f USING (feed_id)
          WHERE r.replayed_at IS NULL AND r.payload IS NOT NULL AND f.key = %(feed)s
            AND (%(rule)s::text IS NULL OR r.rule = %(rule)s)
          ORDER BY r.recorded_at, r.topic, r.partition, r.record_offset, r.position LIMIT %(limit)s) waiting
)
SELECT f.key AS feed, r.recorded_at, r.topic, r.partition, r.record_offset, r.position, r.reporter, r.payload
FROM next JOIN rejected_event r USING (recorded_at, topic, partition, record_offset, position) JOIN feed f USING (feed_id)
WHERE next.before < 8 * 1024 * 1024 AND r.replayed_at IS NULL
ORDER BY r.recorded_at, r.topic, r.partition, r.record_offset, r.position
FOR UPDATE OF r SKIP LOCKED

-- name: mark_replayed
UPDATE rejected_event SET replayed_at = clock_timestamp()
WHERE recorded_at = %s AND topic = %s AND partition = %s AND record_offset = %s AND position = %s

-- name: select_mendable
-- Refused events that a rule may be meant for, oldest first; payloads of all of them come to at most 64 MiB.
SELECT feed, recorded_at, topic, partition, record_offset, position, reporter, payload FROM (
    SELECT f.key AS feed, r.recorded_at, r.topic, r.partition, r.record_offset, r.position, r.reporter, r.payload,
           sum(octet_length(r.payload)) OVER (ORDER BY r.recorded_at, r.topic, r.partition, r.record_offset, r.position) AS bytes
    FROM rejected_event r JOIN feed f USING (feed_id)
    WHERE r.replayed_at IS NULL AND r.payload IS NOT NULL AND f.key = %(feed)s AND r.rule = %(rule)s
      AND (%(field)s::text IS NULL OR r.reasons -> 0 ->> 'field' = %(field)s)
    ORDER BY r.recorded_at, r.topic, r.partition, r.record_offset, r.position LIMIT %(limit)s) waiting
WHERE bytes <= 64 * 1024 * 1024

-- name: lock_waiting
-- Those of some refused events that still wait: another replay may have been faster.
SELECT record_offset FROM rejected_event
WHERE recorded_at = %s AND topic = %s AND partition = %s AND record_offset = %s AND position = %s AND replayed_at IS NULL
FOR UPDATE

-- name: select_identities
-- What is stored of records already.
SELECT replace(key::text, '-', '') AS key, revision FROM record_identity WHERE key = ANY (%s::uuid[])

-- name: select_samples
SELECT r.reporter, r.event_id, r.rule, r.reasons, r.payload
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND (%(rule)s::text IS NULL OR r.rule = %(rule)s) AND r.payload IS NOT NULL
ORDER BY r.recorded_at DESC LIMIT %(limit)s
