-- name: select_edge
-- Where the newest chunk ends whose rows are all older; null = there is none.
SELECT max(range_end) FROM timescaledb_information.chunks
WHERE hypertable_schema = 'public' AND hypertable_name = %s AND range_end <= %s::timestamptz

-- name: drop_chunks
SELECT drop_chunks(%s::regclass, older_than => %s::timestamptz)

-- name: allow_removal
SET ioc.retention = 'on'

-- name: shorten_history
-- What was replaced before is not known any more, and so no figure of a moment before.
UPDATE history_start SET since = greatest(since, %s)
