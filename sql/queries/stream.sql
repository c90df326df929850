-- name: ensure_position
INSERT INTO stream_position (topic, partition, next_offset) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING

-- name: select_positions
SELECT topic, partition, next_offset, topic_id, leader_epoch, mark_offset, mark
FROM stream_position WHERE topic = ANY(%s)

-- name: set_topic_id
UPDATE stream_position SET topic_id = %(topic_id)s
WHERE topic = %(topic)s AND (topic_id IS NULL OR (topic_id <> %(topic_id)s AND next_offset = 0))

-- name: insert_halt
INSERT INTO stream_halt (topic, partition, kind, position, log_start, log_end)
VALUES (%(topic)s, %(partition)s, %(kind)s, %(position)s, %(log_start)s, %(log_end)s)
ON CONFLICT (topic, partition) DO NOTHING

-- name: select_halts
SELECT topic, partition, kind FROM stream_halt WHERE topic = ANY(%s)

-- name: list_positions
SELECT p.topic, p.partition, p.next_offset, p.topic_id, p.updated_at, h.kind, h.found_at
FROM stream_position p LEFT JOIN stream_halt h USING (topic, partition)
WHERE p.topic = ANY(%s) ORDER BY p.topic, p.partition

-- name: set_leader_epoch
UPDATE stream_position SET leader_epoch = %s WHERE topic = %s AND partition = %s

-- name: accept_position
UPDATE stream_position SET next_offset = %(to)s, topic_id = %(topic_id)s, leader_epoch = NULL, mark_offset = NULL,
                           mark = NULL, updated_at = clock_timestamp()
WHERE topic = %(topic)s AND partition = %(partition)s

-- name: delete_halt
DELETE FROM stream_halt WHERE topic = %(topic)s AND partition = %(partition)s RETURNING kind, position

-- name: lock_positions
-- Rows are locked in the order of the sort.
SELECT p.topic, p.partition, p.next_offset, p.topic_id
FROM stream_position p JOIN unnest(%s::text[], %s::int[]) AS w (topic, partition) USING (topic, partition)
ORDER BY p.topic, p.partition FOR UPDATE OF p

-- name: move_position
UPDATE stream_position SET next_offset = %(to)s, updated_at = clock_timestamp(),
                           mark_offset = coalesce(%(mark_offset)s, mark_offset), mark = coalesce(%(mark)s, mark)
WHERE topic = %(topic)s AND partition = %(partition)s AND next_offset = %(from)s

-- name: move_positions
-- As move_position, for many.
UPDATE stream_position p
SET next_offset = w.to_offset, updated_at = clock_timestamp(),
    mark_offset = CASE WHEN w.mark IS NULL THEN p.mark_offset ELSE w.to_offset - 1 END, mark = coalesce(w.mark, p.mark)
FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::uuid[])
     AS w (topic, partition, from_offset, to_offset, mark)
WHERE p.topic = w.topic AND p.partition = w.partition AND p.next_offset = w.from_offset

-- name: insert_gap
INSERT INTO stream_gap (topic, partition, from_offset, to_offset, kind) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- name: select_feed_id
SELECT feed_id FROM feed WHERE key = %s

-- name: select_identities
SELECT replace(key::text, '-', ''), revision, replace(content_hash::text, '-', ''), effective_at
FROM record_identity WHERE key = ANY(%s::uuid[])

-- name: select_history
SELECT replace(h.key::text, '-', ''), h.revision, replace(h.content_hash::text, '-', '')
FROM unnest(%s::uuid[], %s::bigint[]) AS wanted (key, revision)
JOIN record_revision h ON h.key = wanted.key AND h.revision = wanted.revision

-- name: copy_identities
COPY record_identity (key, feed_id, revision, content_hash, effective_at) FROM STDIN (FORMAT csv)

-- name: update_identities
UPDATE record_identity i
SET revision = new.revision, content_hash = new.content_hash, effective_at = new.effective_at
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[], %s::timestamptz[])
     AS new (key, old_revision, revision, content_hash, effective_at)
WHERE i.key = new.key AND i.revision = new.old_revision

-- name: copy_revisions
COPY record_revision (key, revision, feed_id, content_hash, record, superseded, reporter) FROM STDIN (FORMAT csv)

-- name: copy_rejections
COPY rejected_event (feed_id, topic, partition, record_offset, position, reporter, event_id, subject, rule, reasons, payload,
                     effective_on)
FROM STDIN

-- name: copy_deltas
COPY measure_delta (feed_id, area_id, bucket, sums) FROM STDIN (FORMAT csv)

-- name: copy_members
COPY member_delta (measure_id, area_id, bucket, member, n) FROM STDIN (FORMAT csv)

-- name: copy_batches
COPY stream_batch (feed_id, topic, partition, first_offset, next_offset, consumed, accepted, rejected, duplicate, corrected, voided,
                   superseded, oldest_received_at, newest_received_at) FROM STDIN (FORMAT csv)

-- name: keep_traces
-- Never more than the roll-up takes at once: one that does not trace leaves them lying.
INSERT INTO contribution_trace (traceparent)
SELECT traced FROM unnest(%s::text[]) AS traced WHERE (SELECT count(*) FROM contribution_trace) < 1000

-- name: tell_rollup
-- Heard when the transaction has committed.
NOTIFY ioc_contribution

-- name: end_stalled_writers
-- A worker that was stopped in the middle of a COPY holds its positions for as long as it sleeps: neither the idle nor the
-- statement's timeout reaches a session that waits for COPY data. A batch is copied in far less than this.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
  AND state = 'active' AND wait_event = 'ClientRead' AND query LIKE 'COPY %' AND query_start < now() - interval '15 s'
