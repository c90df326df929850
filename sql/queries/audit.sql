-- name: insert_entry
INSERT INTO audit_entry (told_at, actor, host, through, act, subject, outcome, begun_id, arguments, before, after)
VALUES (%(told_at)s, %(actor)s, %(host)s, %(through)s, %(act)s, %(subject)s, %(outcome)s, %(begun_id)s, %(arguments)s,
        %(before)s, %(after)s)
RETURNING audit_id

-- name: list_entries
-- The newest first. A beginning is shown only while nothing tells of its end.
SELECT e.audit_id, e.told_at, e.actor, e.host, e.through, e.act, e.subject, e.outcome, e.arguments, e.before, e.after, e.db_role,
       e.written_at
FROM audit_entry e
WHERE (e.outcome <> 'begun' OR NOT EXISTS (SELECT FROM audit_entry x WHERE x.begun_id = e.audit_id))
  AND e.told_at >= now() - %(within)s::interval
  AND (%(actor)s::text IS NULL OR e.actor = %(actor)s)
  AND (%(act)s::text IS NULL OR e.act = %(act)s OR starts_with(e.act, %(act)s || ' '))
ORDER BY e.audit_id DESC LIMIT %(limit)s

-- name: select_chain
-- Every entry as it is stored, in order; what is hashed is put together by who verifies.
SELECT audit_id, to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS written_at,
       to_char(told_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS told_at, db_role, actor, host, through, act, subject,
       outcome, coalesce(begun_id::text, '') AS begun_id, coalesce(arguments::text, '') AS arguments,
       coalesce(before::text, '') AS before, coalesce(after::text, '') AS after, previous, hash
FROM audit_entry ORDER BY audit_id
