-- Documents, case files and tasks of agencies.
CREATE TABLE document_flow (
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
    format      text,
    signed      boolean,
    online      boolean,
    due_on      date,
    overdue     boolean,
    done_on     date,
    level       text,
    task_state  text
);
SELECT create_hypertable('document_flow', 'effective_at', chunk_time_interval => interval '1 month');
CREATE UNIQUE INDEX document_flow_key ON document_flow (key, effective_at);
