-- Figures at the close of a day, so that those of a past moment are read where nothing moved them: a row for each cell
-- that has changed since the close before.
CREATE TABLE figure_snapshot (
    taken_at    timestamptz NOT NULL,
    sector      text NOT NULL,
    period      text NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    figures     double precision[] NOT NULL,          -- by indicator.slot; null = no value
    updated_at  timestamptz NOT NULL,                 -- since when the figures were so
    PRIMARY KEY (sector, period, area_id, bucket, taken_at)
);
SELECT create_hypertable('figure_snapshot', 'taken_at', chunk_time_interval => interval '1 month');

-- The closes: between two of them a cell without a row has not changed.
CREATE TABLE figure_snapshot_run (
    taken_at    timestamptz PRIMARY KEY,
    cells       bigint NOT NULL
);

-- Quality of a day in the whole of a feed or sector, as it was measured at the close.
CREATE TABLE quality_snapshot (
    taken_at    timestamptz NOT NULL,
    day         date NOT NULL,
    measure     text NOT NULL,
    feed        text NOT NULL,
    sector      text NOT NULL,
    area_id     integer NOT NULL,
    numerator   double precision NOT NULL,
    denominator double precision NOT NULL,
    PRIMARY KEY (day, measure, feed, sector, area_id, taken_at)
);
SELECT create_hypertable('quality_snapshot', 'taken_at', chunk_time_interval => interval '1 month');
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON figure_snapshot
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON figure_snapshot_run
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON quality_snapshot
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON figure_snapshot, figure_snapshot_run, quality_snapshot FROM {writer};
