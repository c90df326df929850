-- A changed catalogue is computed beside the live one before it is shown: candidates, and what they still lack.
ALTER TABLE measure ADD COLUMN complete boolean NOT NULL DEFAULT true;   -- false until records from before it have been added
ALTER TABLE indicator
    ADD COLUMN candidate boolean NOT NULL DEFAULT false,  -- computed beside the live version; `ioc rebuild` makes it live
    ADD COLUMN leaving boolean NOT NULL DEFAULT false,    -- gone from the catalogue, but a live formula still needs it
    ADD CHECK (NOT (live AND candidate)),
    ADD CHECK (live OR NOT leaving);
CREATE UNIQUE INDEX indicator_candidate ON indicator (code) WHERE candidate;

-- One row; grows with every change of what is computed, so that processes which loaded another catalogue notice.
CREATE TABLE catalogue_epoch (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch       bigint NOT NULL
);
INSERT INTO catalogue_epoch (epoch) VALUES (1);

-- Months whose records have been added to measures that are not complete yet: where an interrupted rebuild goes on.
CREATE TABLE rebuild_month (
    feed_id     smallint NOT NULL,
    month       date NOT NULL,
    measure_ids integer[] NOT NULL,
    done_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (feed_id, month)
);

-- As indicator_value, of every version: the live one, candidates, and what was shown when a version was replaced.
CREATE VIEW indicator_version_value AS
SELECT i.code, i.version, i.live, i.candidate, i.sector, i.kind, i.unit, a.area_id, a.code AS area_code,
       a.level AS area_level, a.name_vi AS area_name, c.period, c.bucket, c.figures[i.slot] AS value
FROM indicator i
JOIN indicator_cell c ON c.sector = i.sector
JOIN area a ON a.area_id = c.area_id
WHERE c.figures[i.slot] IS NOT NULL;

-- `written` where `own` is true, `stored` elsewhere: figures of replaced versions stay as they were.
CREATE FUNCTION figures_merge(stored double precision[], written double precision[], own boolean[])
RETURNS double precision[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT CASE WHEN o THEN w ELSE s END FROM unnest(stored, written, own) AS slot (s, w, o));
