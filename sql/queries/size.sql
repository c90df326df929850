-- How much room each table takes; of hypertables all chunks.

-- name: select_sizes
SELECT c.relname AS name, coalesce(h.num_chunks, 0)::integer AS chunks,
       CASE WHEN h.hypertable_name IS NULL THEN pg_table_size(c.oid) - coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)
            ELSE d.table_bytes END AS table_bytes,
       CASE WHEN h.hypertable_name IS NULL THEN pg_indexes_size(c.oid) ELSE d.index_bytes END AS index_bytes,
       CASE WHEN h.hypertable_name IS NULL THEN coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)
            ELSE d.toast_bytes END AS toast_bytes,
       CASE WHEN h.hypertable_name IS NULL THEN pg_total_relation_size(c.oid) ELSE d.total_bytes END AS total_bytes
FROM pg_class c
LEFT JOIN timescaledb_information.hypertables h ON h.hypertable_schema = 'public' AND h.hypertable_name = c.relname
LEFT JOIN LATERAL hypertable_detailed_size(c.oid) d ON h.hypertable_name IS NOT NULL
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
ORDER BY total_bytes DESC, c.relname

-- name: count_rows
SELECT count(*) FROM {table}

-- name: select_events
-- What has come: events, and the days between the first and the last record that was received.
SELECT coalesce(sum(consumed), 0)::bigint AS consumed, coalesce(sum(accepted), 0)::bigint AS accepted,
       coalesce(sum(rejected), 0)::bigint AS rejected
FROM stream_batch

