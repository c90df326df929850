-- Values that agencies report; measures that count only in the area that a record names.
CREATE TABLE report_value (
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
    agency      text,
    indicator   text,
    period      text,
    period_start date,
    value       double precision,
    next_start  date
);
SELECT create_hypertable('report_value', 'effective_at', chunk_time_interval => interval '1 year');
CREATE UNIQUE INDEX report_value_key ON report_value (key, effective_at);
CREATE INDEX report_value_indicator ON report_value (indicator, effective_at);

-- Percentages and scores are not added up over areas.
ALTER TABLE measure ADD COLUMN local boolean NOT NULL DEFAULT false;
ALTER TABLE measure DROP CONSTRAINT measure_feed_id_kind_value_condition_at_until_decimals_key;
ALTER TABLE measure ADD UNIQUE (feed_id, kind, value, condition, at, until, decimals, local);
