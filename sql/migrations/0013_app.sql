-- Use of citizen apps and virtual assistants.
CREATE TABLE app_usage (
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
    app         text,
    user_id     text,
    assistant   text,
    answered    boolean
);
SELECT create_hypertable('app_usage', 'effective_at', chunk_time_interval => interval '1 month');
CREATE UNIQUE INDEX app_usage_key ON app_usage (key, effective_at);
