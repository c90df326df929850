-- Register of reporters.
CREATE TABLE registry_reporter (
    key         uuid NOT NULL,
    record_key  text NOT NULL,
    revision    bigint NOT NULL,
    event_id    text NOT NULL,
    reporter    text NOT NULL,
    area_code   text NOT NULL,
    area_id     integer NOT NULL,
    effective_at timestamptz NOT NULL,
    effective_on date NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    registry    text,
    place_id    text,
    type        text,
    star        bigint,
    rooms       bigint,
    beds        bigint,
    opened_on   date,
    closed_on   date
);
SELECT create_hypertable('registry_reporter', 'effective_at', chunk_time_interval => interval '1 month');
CREATE UNIQUE INDEX registry_reporter_key ON registry_reporter (key, effective_at);
