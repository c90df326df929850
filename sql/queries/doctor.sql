-- name: select_server
SELECT current_setting('server_version_num')::integer AS version_number, current_setting('server_version') AS version,
       clock_timestamp() AS now, (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
       current_setting('timescaledb.license', true) AS edition, current_setting('TimeZone') AS timezone,
       pg_database_size(current_database()) AS bytes, current_setting('max_connections')::integer AS connections,
       (SELECT count(*) FROM pg_stat_activity) AS sessions

-- name: select_migrations
SELECT number FROM schema_migration ORDER BY number

-- name: select_rights
-- What roles of processes must not be able to do.
SELECT r.rolname AS role, 'superuser' AS may FROM pg_roles r WHERE r.rolname = ANY (%(roles)s) AND r.rolsuper
UNION ALL
SELECT r.rolname, 'create tables in public' FROM pg_roles r
WHERE r.rolname = ANY (%(roles)s) AND has_schema_privilege(r.rolname, 'public', 'CREATE')
UNION ALL
SELECT r.rolname, 'write ' || c.relname FROM pg_roles r, pg_class c
WHERE r.rolname = ANY (%(readers)s) AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND has_table_privilege(r.rolname, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
ORDER BY 1, 2

-- name: select_waiting
SELECT (SELECT min(appended_at) FROM (SELECT appended_at FROM measure_delta LIMIT 10000) waiting) AS oldest,
       (SELECT count(*) FROM contribution_set_aside) AS set_aside

-- name: select_jobs
SELECT job, finished_at, failed_at, error FROM scheduler_job ORDER BY job
