-- Roles that read some sectors and areas only.

-- name: list_scopes
SELECT role, sector, area_code, granted_at FROM reader_scope ORDER BY role, sector NULLS FIRST, area_code NULLS FIRST

-- name: select_role
-- Whether a role may be bound: it may sign in, is no superuser, and has no rights of another.
SELECT r.rolcanlogin AS signs_in, r.rolsuper OR r.rolbypassrls AS above,
       (SELECT array_agg(pg_get_userbyid(m.roleid)::text) FROM pg_auth_members m WHERE m.member = r.oid) AS member_of
FROM pg_roles r WHERE r.rolname = %s

-- name: select_unknown
-- Of sectors and codes of areas: those that nothing has.
SELECT 'sector' AS kind, w.name FROM unnest(%(sectors)s::text[]) AS w (name)
WHERE NOT EXISTS (SELECT FROM indicator i WHERE i.sector = w.name)
UNION ALL
SELECT 'area', w.name FROM unnest(%(areas)s::text[]) AS w (name)
WHERE NOT EXISTS (SELECT FROM area a WHERE a.code = w.name)

-- name: remove_scope
DELETE FROM reader_scope WHERE role = %s RETURNING sector, area_code

-- name: add_scope
INSERT INTO reader_scope (role, sector, area_code) VALUES (%s, %s, %s)

-- name: grant_reading
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT ON shown_cell, shown_value, shown_status, shown_quality, shown_incident, area, feed, indicator, target, profile
    TO {role}

-- name: revoke_reading
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
REVOKE ALL ON SCHEMA public FROM {role}
