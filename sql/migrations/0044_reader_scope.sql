-- Readers who see the figures of some sectors and areas only: a role of the server for each, whose scope is kept here and
-- whose rights `ioc db reader set` gives. The rows are kept from it by PostgreSQL itself, whatever it asks.
CREATE TABLE reader_scope (
    role        text NOT NULL,
    sector      text,                                 -- NULL = every sector
    area_code   text,                                 -- with all below it; NULL = the whole province
    granted_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (role, sector, area_code)
);
REVOKE INSERT, UPDATE, DELETE ON reader_scope FROM {writer};

-- By the session's role, which neither a view nor SET ROLE changes.
CREATE FUNCTION is_bound_reader() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM reader_scope r WHERE r.role = session_user);

-- Where the session's role may look; area 0: what belongs to no area.
CREATE FUNCTION reader_places() RETURNS TABLE (sector text, area_id integer)
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT DISTINCT s.sector, a.area_id
    FROM reader_scope r
    CROSS JOIN LATERAL (
        SELECT r.sector WHERE r.sector IS NOT NULL
        UNION SELECT i.sector FROM indicator i WHERE r.sector IS NULL
        UNION SELECT f.domain FROM feed f WHERE r.sector IS NULL
    ) s (sector)
    CROSS JOIN LATERAL (
        SELECT c.origin_id FROM area_chain c JOIN area u ON u.area_id = c.area_id WHERE u.code = r.area_code
        UNION SELECT u.area_id FROM area u WHERE r.area_code IS NULL
        UNION SELECT 0 WHERE r.area_code IS NULL
    ) a (area_id)
    WHERE r.role = session_user
$$;

-- FORCE: a view reads its tables as their owner, and what it shows is bound as well. The condition before OR is computed
-- once a statement, so that it costs others nothing a row. Who may write is a matter of rights.
ALTER TABLE indicator_cell ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reader_scope ON indicator_cell
    USING (NOT (SELECT is_bound_reader()) OR (sector, area_id) IN (SELECT p.sector, p.area_id FROM reader_places() p))
    WITH CHECK (true);
ALTER TABLE indicator_status ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reader_scope ON indicator_status
    USING (NOT (SELECT is_bound_reader()) OR (sector, area_id) IN (SELECT p.sector, p.area_id FROM reader_places() p))
    WITH CHECK (true);
ALTER TABLE quality_measure ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reader_scope ON quality_measure
    USING (NOT (SELECT is_bound_reader()) OR (sector, area_id) IN (SELECT p.sector, p.area_id FROM reader_places() p))
    WITH CHECK (true);
ALTER TABLE incident ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reader_scope ON incident
    USING (NOT (SELECT is_bound_reader())
           OR (sector, coalesce(area_id, 0)) IN (SELECT p.sector, p.area_id FROM reader_places() p))
    WITH CHECK (true);

-- Bound readers read views only: a chunk of a hypertable is a table of its own, without its policy.
CREATE VIEW shown_quality AS
SELECT day, measure, feed, sector, reporter, area_id, numerator, denominator, share, measured_at FROM quality_measure;
CREATE VIEW shown_incident AS
SELECT incident_id, kind, severity, sector, feed, code, owner, title_vi, title_en, summary_vi, summary_en, area_id, indicators,
       areas, since, opened_at, changed_at, closed_at, step, assigned_to, acknowledged_by, acknowledged_at
FROM incident;
REVOKE INSERT, UPDATE, DELETE ON shown_quality, shown_incident FROM {writer};
