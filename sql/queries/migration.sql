-- name: create_table
CREATE TABLE IF NOT EXISTS schema_migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: table_exists
SELECT to_regclass('public.schema_migration')::text

-- name: select_applied
SELECT number, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM schema_migration ORDER BY number

-- name: insert_applied
INSERT INTO schema_migration (number, name) VALUES (%s, %s)

-- name: upsert_feed
INSERT INTO feed (key, domain, record_table, name_vi, name_en, cadence) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (key) DO UPDATE
SET domain = excluded.domain, record_table = excluded.record_table, name_vi = excluded.name_vi,
    name_en = excluded.name_en, cadence = excluded.cadence

-- name: select_columns
-- Columns of a table of the schema `public`, in order.
SELECT column_name, replace(data_type, 'timestamp with time zone', 'timestamptz')
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s
ORDER BY ordinal_position

-- name: drop_as_of_views
SELECT drop_as_of_views(record_table) FROM feed

-- name: has_as_of_views
SELECT to_regproc('drop_as_of_views') IS NOT NULL

-- name: make_as_of_views
SELECT make_as_of_views(%s)

-- name: grant_record_table
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {worker};
GRANT SELECT ON {table} TO {scheduler}

-- name: select_roles
SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)
