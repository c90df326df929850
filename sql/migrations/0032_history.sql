-- What stood at any past moment. Records tell it themselves: `recorded_at` says since when the winning revision stands,
-- `record_revision` until when those before it stood. What changes without being a record keeps its versions here.
-- The views of the schema `as_of` show tables as they were at the moment that `ioc.as_of` names; whoever reads with
-- `search_path = as_of, public` reads the past.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Retention removes what is too old, as the owner; see ioc.database.retention.
    IF TG_OP = 'DELETE' AND current_setting('ioc.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are only added, never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TABLE history_start (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    since       timestamptz NOT NULL                  -- nothing is known of what stood before
);
INSERT INTO history_start (since) VALUES (now());

-- Since when the record is known: its first revision stood from then on.
ALTER TABLE record_identity ADD COLUMN first_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX record_revision_replaced ON record_revision (feed_id, recorded_at) WHERE NOT superseded;

-- Days that opened and shut; `changed_at` is when the first contribution came that did it.
CREATE TABLE open_day_change (
    change_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed_id     smallint NOT NULL REFERENCES feed,
    day         date NOT NULL,
    opened      boolean NOT NULL,
    changed_at  timestamptz NOT NULL
);
CREATE INDEX open_day_change_day ON open_day_change (feed_id, day, changed_at);
INSERT INTO open_day_change (feed_id, day, opened, changed_at) SELECT feed_id, day, true, now() FROM open_day;

-- Versions of rows that are configuration: the register of reporters and the definitions of indicators.
CREATE TABLE row_version (
    version_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name  text NOT NULL,
    row_key     text NOT NULL,
    content     jsonb,                                -- null = the row was removed
    changed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX row_version_row ON row_version (table_name, row_key, changed_at);

CREATE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    content jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL;
    END IF;
    INSERT INTO row_version (table_name, row_key, content)
    VALUES (TG_TABLE_NAME, (SELECT string_agg(content ->> name, '|' ORDER BY at)
                            FROM unnest(TG_ARGV) WITH ORDINALITY AS c (name, at)),
            CASE TG_OP WHEN 'DELETE' THEN NULL ELSE content END);
    RETURN NULL;
END
$$;
INSERT INTO row_version (table_name, row_key, content) SELECT 'indicator', indicator_id, to_jsonb(i) FROM indicator i;
INSERT INTO row_version (table_name, row_key, content)
SELECT 'reporter', concat_ws('|', feed_id, code, valid_from), to_jsonb(r) FROM reporter r;
CREATE TRIGGER keep_version AFTER INSERT OR UPDATE OR DELETE ON indicator
    FOR EACH ROW EXECUTE FUNCTION keep_version('indicator_id');
CREATE TRIGGER keep_version AFTER INSERT OR UPDATE OR DELETE ON reporter
    FOR EACH ROW EXECUTE FUNCTION keep_version('feed_id', 'code', 'valid_from');

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON record_revision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON open_day_change
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON row_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON indicator_status_change
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON record_revision, open_day_change, row_version, indicator_status_change,
    history_start FROM {writer};
REVOKE INSERT ON history_start FROM {writer};

-- ---------------------------------------------------------------------------------------------- the past
CREATE SCHEMA as_of;
GRANT USAGE ON SCHEMA as_of TO {reader}, {writer};
ALTER DEFAULT PRIVILEGES IN SCHEMA as_of GRANT SELECT ON TABLES TO {reader}, {writer};

-- Where the session names no moment, everything is as it is now.
CREATE FUNCTION as_of.moment() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('ioc.as_of', true), '')::timestamptz, 'infinity');

CREATE VIEW as_of.indicator AS
SELECT past.* FROM (
    SELECT DISTINCT ON (row_key) content FROM public.row_version
    WHERE table_name = 'indicator' AND changed_at <= as_of.moment() ORDER BY row_key, changed_at DESC, version_id DESC
) last CROSS JOIN LATERAL jsonb_populate_record(NULL::public.indicator, last.content) AS past
WHERE last.content IS NOT NULL;

CREATE VIEW as_of.reporter AS
SELECT past.* FROM (
    SELECT DISTINCT ON (row_key) content FROM public.row_version
    WHERE table_name = 'reporter' AND changed_at <= as_of.moment() ORDER BY row_key, changed_at DESC, version_id DESC
) last CROSS JOIN LATERAL jsonb_populate_record(NULL::public.reporter, last.content) AS past
WHERE last.content IS NOT NULL;

CREATE VIEW as_of.open_day AS
SELECT feed_id, day FROM (
    SELECT DISTINCT ON (feed_id, day) feed_id, day, opened FROM public.open_day_change
    WHERE changed_at <= as_of.moment() ORDER BY feed_id, day, changed_at DESC, change_id DESC
) last WHERE opened;

CREATE VIEW as_of.record_revision AS
SELECT * FROM public.record_revision WHERE recorded_at <= as_of.moment();

-- Of each record the revision that won then: the first that was replaced later, or the one that wins now.
CREATE VIEW as_of.record_identity AS
SELECT i.key, i.feed_id, coalesce(h.revision, i.revision) AS revision,
       coalesce(h.content_hash, i.content_hash) AS content_hash,
       CASE WHEN h.key IS NULL THEN i.effective_at ELSE (h.record ->> 'effective_on')::timestamptz END AS effective_at,
       i.first_at
FROM public.record_identity i LEFT JOIN LATERAL (
    SELECT r.key, r.revision, r.content_hash, r.record FROM public.record_revision r
    WHERE r.key = i.key AND NOT r.superseded AND r.recorded_at > as_of.moment() ORDER BY r.revision LIMIT 1
) h ON true
WHERE i.first_at <= as_of.moment();

CREATE VIEW as_of.rejected_event AS
SELECT recorded_at, feed_id, topic, partition, record_offset, position, reporter, event_id, subject, rule, reasons,
       relayed_at, replayed_at
FROM public.rejected_event WHERE recorded_at <= as_of.moment();

CREATE VIEW as_of.stream_batch AS
SELECT * FROM public.stream_batch WHERE committed_at <= as_of.moment();

-- What waited to be folded then has been folded long since; it is part of what is read.
CREATE VIEW as_of.measure_delta AS SELECT * FROM public.measure_delta WHERE false;

-- Lets a migration change a record table.
CREATE FUNCTION drop_as_of_views(record_table text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP VIEW IF EXISTS as_of.%I, as_of.%I', record_table, record_table || '_replaced');
END
$$;

-- Makes the views of a feed's records: `as_of.<table>` shows those that stood, `as_of.<table>_replaced` only those of
-- them that have been replaced since. A kept revision has no record key where its record is gone.
CREATE FUNCTION make_as_of_views(record_table text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    replaced text := record_table || '_replaced';
BEGIN
    PERFORM drop_as_of_views(record_table);
    EXECUTE format($view$
        CREATE VIEW as_of.%I AS
        SELECT past.* FROM (
            SELECT DISTINCT ON (h.key) h.key, h.revision, h.record
            FROM public.record_revision h JOIN public.feed f USING (feed_id)
            WHERE f.record_table = %L AND NOT h.superseded AND h.recorded_at > as_of.moment()
            ORDER BY h.key, h.revision
        ) stood
        JOIN public.record_identity i ON i.key = stood.key AND i.first_at <= as_of.moment()
        LEFT JOIN public.%I now ON now.key = i.key AND now.effective_at = i.effective_at
        LEFT JOIN public.area a ON a.code = stood.record ->> 'area_code'
         AND (stood.record ->> 'effective_on')::date >= a.valid_from
         AND (stood.record ->> 'effective_on')::date < a.valid_to
        CROSS JOIN LATERAL (
            SELECT coalesce(max(b.recorded_at), i.first_at) AS since FROM public.record_revision b
            WHERE b.key = stood.key AND b.revision < stood.revision AND NOT b.superseded
        ) began
        CROSS JOIN LATERAL jsonb_populate_record(NULL::public.%I, stood.record || jsonb_build_object(
            'key', stood.key, 'revision', stood.revision, 'record_key', coalesce(now.record_key, stood.key::text),
            'event_id', '', 'area_id', a.area_id, 'effective_at', stood.record ->> 'effective_on',
            'received_at', began.since, 'recorded_at', began.since)) AS past
        WHERE stood.record IS NOT NULL $view$, replaced, record_table, record_table, record_table);
    EXECUTE format($view$
        CREATE VIEW as_of.%I AS
        SELECT * FROM public.%I WHERE recorded_at <= as_of.moment() UNION ALL SELECT * FROM as_of.%I $view$,
        record_table, record_table, replaced);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON public.%I USING brin (recorded_at)',
                   record_table || '_recorded', record_table);
END
$$;
