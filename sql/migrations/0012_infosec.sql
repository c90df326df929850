-- Security alerts and incidents.
CREATE TABLE infosec_event (
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
    kind        text,
    item_id     text,
    occurred_on date,
    severity    text,
    incident_type text,
    detection_min bigint,
    resolved_on date,
    resolution_min bigint
);
SELECT create_hypertable('infosec_event', 'effective_at', chunk_time_interval => interval '1 month');
CREATE UNIQUE INDEX infosec_event_key ON infosec_event (key, effective_at);
