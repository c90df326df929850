-- What became of events that the gateway wrote. Tables of records are named by their feeds.

-- name: select_positions
SELECT topic, partition, next_offset FROM stream_position WHERE topic = ANY(%s)

-- name: select_rejections
SELECT r.topic, r.partition, r.record_offset, r.position, r.reasons
FROM unnest(%(topics)s::text[], %(partitions)s::integer[], %(offsets)s::bigint[]) AS wanted (topic, partition, record_offset)
JOIN rejected_event r USING (topic, partition, record_offset)
WHERE r.recorded_at >= %(since)s

-- name: select_winning
-- `event_id` and `received_at` are null where the winning revision is a void.
SELECT replace(i.key::text, '-', '') AS key, i.revision, r.event_id, r.received_at
FROM record_identity i
LEFT JOIN {table} r ON r.key = i.key AND r.effective_at = i.effective_at
WHERE i.key = ANY(%s::uuid[])
