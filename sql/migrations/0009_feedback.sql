-- Citizens' feedback.
CREATE TABLE feedback_ticket (
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
    ticket_id   text,
    category    text,
    channel     text,
    received_on date,
    due_on      date,
    overdue     boolean,
    state       text,
    closed_on   date,
    handling_h  bigint,
    reopened_on date,
    rated_on    date,
    rating      bigint,
    accepted    boolean,
    timeliness  text,
    overdue_on  date
);
SELECT create_hypertable('feedback_ticket', 'effective_at', chunk_time_interval => interval '1 month');
CREATE UNIQUE INDEX feedback_ticket_key ON feedback_ticket (key, effective_at);
