-- name: count_chunks
-- About how many rows each chunk holds that is older as a whole.
SELECT coalesce((SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = chunk), 0)
FROM show_chunks(%s::regclass, older_than => %s::timestamptz) AS chunk

-- name: drop_chunks
SELECT drop_chunks(%s::regclass, older_than => %s::timestamptz)
