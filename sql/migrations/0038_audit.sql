-- Every administrative act: who did what, when, on what, what was before and after. Rows are only added, and each holds
-- the hash of the one before: whoever changes or removes one breaks the chain behind it (`ioc audit verify`).
CREATE TABLE audit_entry (
    audit_id    bigint PRIMARY KEY,                   -- 1, 2, 3, ... without a gap, given by the trigger
    written_at  timestamptz NOT NULL,                 -- by the database's clock
    told_at     timestamptz NOT NULL,                 -- when it happened, as the process says
    db_role     text NOT NULL,                        -- the role that wrote the row
    actor       text NOT NULL,                        -- who, as the process says: a user of a machine, a token's or link's name
    host        text NOT NULL,                        -- the machine of the process
    through     text NOT NULL CHECK (through IN ('command', 'API', 'link')),
    act         text NOT NULL,                        -- such as `target set`
    subject     text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('begun', 'done', 'failed')),
    begun_id    bigint,                               -- of a command: the entry of its beginning
    arguments   jsonb,
    before      jsonb,
    after       jsonb,
    previous    bytea NOT NULL,                       -- hash of the entry before
    hash        bytea NOT NULL                        -- SHA-256, see audit_text
);

-- What is hashed: every column as its length in bytes, a colon and its text, in order; then the hash before.
CREATE FUNCTION audit_text(entry audit_entry) RETURNS bytea LANGUAGE sql STABLE
SET timezone = 'UTC' SET datestyle = 'ISO'
RETURN (
    SELECT convert_to(string_agg(octet_length(convert_to(part, 'UTF8')) || ':' || part, '' ORDER BY at), 'UTF8') || entry.previous
    FROM unnest(ARRAY[
        entry.audit_id::text, to_char(entry.written_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        to_char(entry.told_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'), entry.db_role, entry.actor, entry.host, entry.through, entry.act,
        entry.subject, entry.outcome, coalesce(entry.begun_id::text, ''), coalesce(entry.arguments::text, ''),
        coalesce(entry.before::text, ''), coalesce(entry.after::text, '')]) WITH ORDINALITY AS parts (part, at));

-- Who writes says neither number nor time nor role, and cannot fork the chain: one transaction after the other.
CREATE FUNCTION chain_audit_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last audit_entry;
BEGIN
    PERFORM pg_advisory_xact_lock(7305010);
    SELECT * INTO last FROM audit_entry ORDER BY audit_id DESC LIMIT 1;
    NEW.audit_id := coalesce(last.audit_id, 0) + 1;
    NEW.written_at := clock_timestamp();
    NEW.db_role := session_user;
    NEW.previous := coalesce(last.hash, sha256(''));
    NEW.hash := sha256(audit_text(NEW));
    RETURN NEW;
END
$$;

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit log are only added' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER chain BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION chain_audit_entry();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
REVOKE ALL ON audit_entry FROM {writer}, {reader}, {grafana};
GRANT INSERT (told_at, actor, host, through, act, subject, outcome, begun_id, arguments, before, after) ON audit_entry TO {writer};
GRANT SELECT (audit_id) ON audit_entry TO {writer};   -- to name an entry by its end
