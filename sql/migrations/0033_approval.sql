-- Figures of a sector's period that somebody has signed off, as they were then. Only added to: what changes afterwards
-- is a revision, which is found by comparing; another approval of the period names the reason.
CREATE TABLE approval (
    approval_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sector      text NOT NULL,
    period      text NOT NULL CHECK (period IN ('day', 'week', 'month', 'quarter', 'year')),
    bucket      date NOT NULL,
    signed_by   text NOT NULL CHECK (signed_by <> ''),
    signed_at   timestamptz NOT NULL DEFAULT now(),
    reason      text NOT NULL DEFAULT '',             -- why the period was approved again
    figures     integer NOT NULL,                     -- how many
    digest      text NOT NULL,                        -- SHA-256 over them, see ioc.approval.digest
    previous_id bigint REFERENCES approval,           -- the approval that this one follows
    CHECK ((previous_id IS NULL) = (reason = ''))
);
CREATE UNIQUE INDEX approval_first ON approval (sector, period, bucket) WHERE previous_id IS NULL;
CREATE UNIQUE INDEX approval_next ON approval (previous_id);

-- The figures of an approval, by area: of each code its version and value.
CREATE TABLE approved_figure (
    approval_id bigint NOT NULL REFERENCES approval,
    area_id     integer NOT NULL,
    figures     jsonb NOT NULL,                       -- {code: [version, value]}
    PRIMARY KEY (approval_id, area_id)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON approval FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON approved_figure
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON approved_figure FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON approval, approved_figure FROM {writer};
