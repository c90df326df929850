-- Approvals of a sector's period, and what has changed since.

-- name: lock
SELECT pg_advisory_xact_lock(7305007)

-- name: select_figures
-- The figures of a period as they are now, by area and code; those of the live definitions that have a value.
SELECT c.area_id, i.code, i.version, c.figures[i.slot] AS value
FROM indicator_cell c JOIN indicator i ON i.sector = c.sector AND i.live
WHERE c.sector = %(sector)s AND c.period = %(period)s AND c.bucket = %(bucket)s AND c.figures[i.slot] IS NOT NULL
ORDER BY c.area_id, i.code COLLATE "C"

-- name: is_postponed
-- Whether figures of a period are due, and not computed yet.
SELECT EXISTS (SELECT FROM figure_postponed WHERE sector = %(sector)s AND period = %(period)s AND bucket = %(bucket)s)

-- name: insert_approval
INSERT INTO approval (sector, period, bucket, signed_by, reason, figures, digest, previous_id)
VALUES (%(sector)s, %(period)s, %(bucket)s, %(signed_by)s, %(reason)s, %(figures)s, %(digest)s, %(previous_id)s)
RETURNING approval_id

-- name: copy_figures
COPY approved_figure (approval_id, area_id, figures) FROM STDIN

-- name: list_approvals
-- The newest first; `last` says that no other approval follows.
SELECT p.approval_id, p.sector, p.period, p.bucket, p.signed_by, p.signed_at, p.reason, p.figures, p.digest,
       p.previous_id, NOT EXISTS (SELECT FROM approval n WHERE n.previous_id = p.approval_id) AS last
FROM approval p
WHERE (%(sector)s::text IS NULL OR p.sector = %(sector)s) AND (%(period)s::text IS NULL OR p.period = %(period)s)
  AND (%(bucket)s::date IS NULL OR p.bucket = %(bucket)s)
  AND (%(approval_id)s::bigint IS NULL OR p.approval_id = %(approval_id)s)
ORDER BY p.signed_at DESC, p.approval_id DESC LIMIT %(limit)s

-- name: select_approved
SELECT a.area_id, f.key AS code, (f.value ->> 0)::int AS version, (f.value ->> 1)::float8 AS value
FROM approved_figure a CROSS JOIN LATERAL jsonb_each(a.figures) AS f
WHERE a.approval_id = %s ORDER BY a.area_id, f.key COLLATE "C"

-- name: select_changed
-- Figures that are not any more what the approval says: of another value, gone, or new.
WITH approved AS (
    SELECT a.area_id, f.key AS code, (f.value ->> 0)::int AS version, (f.value ->> 1)::float8 AS value
    FROM approved_figure a CROSS JOIN LATERAL jsonb_each(a.figures) AS f WHERE a.approval_id = %(approval_id)s
), now AS (
    SELECT c.area_id, i.code, i.version, c.figures[i.slot] AS value
    FROM indicator_cell c JOIN indicator i ON i.sector = c.sector AND i.live
    WHERE c.sector = %(sector)s AND c.period = %(period)s AND c.bucket = %(bucket)s
      AND c.figures[i.slot] IS NOT NULL
)
SELECT coalesce(a.code, n.code) AS code, u.code AS area_code, u.name_vi AS area_name, a.value AS approved, n.value AS now,
       a.version AS approved_version, n.version AS version_now, area_id
FROM approved a FULL JOIN now n USING (area_id, code) JOIN area u USING (area_id)
WHERE a.value IS DISTINCT FROM n.value
ORDER BY u.parent_id IS NOT NULL, code, u.code LIMIT %(limit)s

-- name: select_of_points
-- For buckets of an indicator and areas: the last approval of each, and the value that it says; null = it had none.
SELECT p.bucket, w.area_id, p.approval_id, p.signed_by, p.signed_at, (a.figures -> %(code)s ->> 1)::float8 AS value
FROM approval p CROSS JOIN unnest(%(areas)s::int[]) AS w (area_id)
LEFT JOIN approved_figure a ON a.approval_id = p.approval_id AND a.area_id = w.area_id
WHERE p.sector = %(sector)s AND p.period = %(period)s AND p.bucket = ANY(%(buckets)s)
  AND NOT EXISTS (SELECT FROM approval n WHERE n.previous_id = p.approval_id)
