-- name: export_snapshot
SELECT pg_export_snapshot()

-- name: select_state
SELECT current_setting('server_version_num')::integer AS postgres,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
       (SELECT count(*) FROM schema_migration) AS migrations,
       (SELECT epoch FROM catalogue_epoch) AS epoch,
       (SELECT count(*) FROM stream_batch) AS batches

-- name: select_positions
SELECT topic, partition, next_offset FROM stream_position ORDER BY topic, partition

-- name: select_stored_until
-- By partition: when Kafka had appended the newest record that is stored.
SELECT topic, partition, max(newest_received_at) AS stored_until FROM stream_batch
WHERE topic = ANY (%s) GROUP BY topic, partition

-- name: select_gaps
-- Offsets that workers have passed without an event, because Kafka had deleted them.
SELECT topic, partition, from_offset, to_offset, found_at FROM stream_gap
WHERE kind = 'deleted' AND topic = ANY (%(topics)s) AND found_at >= now() - %(within)s::interval
ORDER BY topic, partition, from_offset

-- name: advance_numbers
-- What was given out after the backup is known outside: Grafana has told of incident 57, another system has seen
-- revision 900 of a figure and takes no lower one. Numbers go on above all that can have been given out since.
SELECT setval('figure_revision', nextval('figure_revision') + 1000000000),
       setval(pg_get_serial_sequence('incident', 'incident_id'),
              nextval(pg_get_serial_sequence('incident', 'incident_id')) + 10000),
       setval(pg_get_serial_sequence('notification_outbox', 'notification_id'),
              nextval(pg_get_serial_sequence('notification_outbox', 'notification_id')) + 10000),
       setval(pg_get_serial_sequence('approval', 'approval_id'),
              nextval(pg_get_serial_sequence('approval', 'approval_id')) + 10000)
