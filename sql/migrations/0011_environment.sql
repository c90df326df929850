-- Readings of monitoring stations.
CREATE TABLE environment_reading (
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
    medium      text,
    param       text,
    measured_at timestamptz,
    status      text,
    value       double precision,
    exceeded    boolean,
    station_type text,
    aqi_band    text
);
SELECT create_hypertable('environment_reading', 'effective_at', chunk_time_interval => interval '1 month');
CREATE UNIQUE INDEX environment_reading_key ON environment_reading (key, effective_at);
