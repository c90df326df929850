-- What reporters say they have sent, from its topic into its table. Positions are rows, as those of the feeds.

-- name: ensure_position
INSERT INTO stream_position (topic, partition, next_offset) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING

-- name: lock_position
SELECT next_offset FROM stream_position WHERE topic = %s AND partition = %s FOR UPDATE

-- name: move_position
UPDATE stream_position SET next_offset = %s, updated_at = clock_timestamp() WHERE topic = %s AND partition = %s

-- name: put_total
-- The last word stands, whatever the order in which the words are read.
INSERT INTO control_total (feed, reporter, first_on, last_on, records, summed, total, told_at)
VALUES (%(feed)s, %(reporter)s, %(first_on)s, %(last_on)s, %(records)s, %(summed)s, %(total)s, %(told_at)s)
ON CONFLICT (feed, reporter, first_on, last_on, summed) DO UPDATE
SET records = excluded.records, total = excluded.total, told_at = excluded.told_at
WHERE control_total.told_at <= excluded.told_at
