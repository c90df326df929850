-- Tables that every feed shares. Times are timestamptz; a bucket is a local business date (first day of its period).

CREATE TABLE feed (
    feed_id     smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,                 -- tourism.stay
    sector      text NOT NULL,
    record_table text NOT NULL UNIQUE,                -- tourism_stay
    name_vi     text NOT NULL,
    name_en     text NOT NULL,
    cadence     interval NOT NULL                     -- silence longer than this makes the feed stale
);

-- ---------------------------------------------------------------------------------------------- areas, reporters
-- One row a unit and validity: codes are reused after reforms, so cells refer to area_id, never to a bare code.
CREATE TABLE area (
    area_id     integer PRIMARY KEY,
    code        text NOT NULL,
    name_vi     text NOT NULL,
    name_en     text NOT NULL,
    level       text NOT NULL CHECK (level IN ('country', 'province', 'district', 'commune')),
    parent_id   integer REFERENCES area,
    valid_from  date NOT NULL,
    valid_to    date NOT NULL DEFAULT 'infinity',     -- exclusive
    latitude    double precision,
    longitude   double precision,
    UNIQUE (code, level, valid_from),
    CHECK (valid_from < valid_to)
);

CREATE TABLE reporter (
    feed_id     smallint NOT NULL REFERENCES feed,
    code        text NOT NULL,
    name        text NOT NULL,
    area_code   text NOT NULL,
    attributes  jsonb NOT NULL DEFAULT '{}',
    valid_from  date NOT NULL DEFAULT '2000-01-01',
    valid_to    date NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (feed_id, code, valid_from)
);

-- ---------------------------------------------------------------------------------------------- catalogue
-- A measure is one additive or distinct expression over a feed; indicators share measures. Slots are never reused.
CREATE TABLE measure (
    measure_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed_id     smallint NOT NULL REFERENCES feed,
    slot        smallint NOT NULL CHECK (slot >= 1),  -- index into measure_cell.sums
    kind        text NOT NULL CHECK (kind IN ('sum', 'distinct')),
    value       text NOT NULL,                        -- SQL expression over the record's columns
    condition   text NOT NULL,                        -- SQL condition, 'TRUE' when every record counts
    at          text NOT NULL,                        -- date column whose day it counts in
    until       text NOT NULL DEFAULT '',             -- date column whose day takes it back (stocks)
    decimals    smallint NOT NULL,                    -- sums are integers in units of 10^-decimals
    UNIQUE (feed_id, slot),
    UNIQUE (feed_id, kind, value, condition, at, until, decimals)
);

CREATE TABLE indicator (
    indicator_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code        text NOT NULL,
    version     integer NOT NULL CHECK (version >= 1),
    live        boolean NOT NULL,                     -- the version that dashboards show
    sector      text NOT NULL,
    slot        smallint NOT NULL CHECK (slot >= 1),  -- index into indicator_cell.figures
    kind        text NOT NULL,
    definition  jsonb NOT NULL,                       -- the catalogue row as it was loaded
    name_vi     text NOT NULL,
    name_en     text NOT NULL,
    unit        text NOT NULL,
    owner       text NOT NULL,
    cadence     text NOT NULL,
    direction   text NOT NULL,
    target_op   text CHECK (target_op IN ('>=', '<=')),
    target      double precision,
    target_on   date,
    created_at  timestamptz NOT NULL DEFAULT now(),
    retired_at  timestamptz,
    UNIQUE (code, version),
    UNIQUE (sector, slot)
);
CREATE UNIQUE INDEX indicator_live ON indicator (code) WHERE live;

-- ---------------------------------------------------------------------------------------------- the stream
CREATE TABLE stream_position (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

CREATE TABLE stream_batch (
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    feed_id     smallint NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    consumed    integer NOT NULL,
    accepted    integer NOT NULL,
    rejected    integer NOT NULL,
    duplicate   integer NOT NULL,
    corrected   integer NOT NULL,                     -- accepted events that replaced an older revision
    voided      integer NOT NULL,                     -- accepted events that removed a record
    superseded  integer NOT NULL,                     -- accepted events that arrived after a newer revision
    oldest_received_at timestamptz NOT NULL,          -- Kafka's append time of the batch's first event
    newest_received_at timestamptz NOT NULL,
    CONSTRAINT balanced CHECK (accepted + rejected + duplicate = consumed),
    CHECK (corrected + voided + superseded <= accepted),
    CHECK (first_offset < next_offset)
);
SELECT create_hypertable('stream_batch', 'committed_at', chunk_time_interval => interval '7 days');
CREATE INDEX stream_batch_feed ON stream_batch (feed_id, committed_at DESC);

-- Offsets that Kafka had already deleted when a worker came to read them. Never silent: the alert rules watch it.
CREATE TABLE stream_gap (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    from_offset bigint NOT NULL,
    to_offset   bigint NOT NULL,
    found_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, from_offset)
);

-- ---------------------------------------------------------------------------------------------- records
-- The identity of a record holds for all time, so it lives outside the hypertables; key = 128-bit hash of feed and record key.
CREATE TABLE record_identity (
    key         uuid PRIMARY KEY,
    feed_id     smallint NOT NULL,
    revision    bigint NOT NULL,
    content_hash uuid NOT NULL,
    effective_at timestamptz                          -- where the record lies in its hypertable; null = voided
) WITH (fillfactor = 80);

-- Every revision that is not the standing one: what a later revision replaced, and what arrived after it.
CREATE TABLE record_revision (
    key         uuid NOT NULL,
    revision    bigint NOT NULL,
    feed_id     smallint NOT NULL,
    content_hash uuid NOT NULL,
    record      jsonb,                                -- null = the revision was a void
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, revision)
);

CREATE TABLE rejected_event (
    recorded_at timestamptz NOT NULL DEFAULT now(),
    feed_id     smallint NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    record_offset bigint NOT NULL,
    position    integer NOT NULL,                     -- place of the event within its Kafka record, from 0
    reporter    text,
    event_id    text,
    subject     text,
    rule        text NOT NULL,                        -- rule of the first reason, to group by
    reasons     jsonb NOT NULL,                       -- [{field, rule, value (masked), message_vi, message_en}]
    payload     bytea,                                -- the event as it came, at most 64 KiB; null once larger
    relayed_at  timestamptz,                          -- when it reached the dead-letter topic
    replayed_at timestamptz
);
SELECT create_hypertable('rejected_event', 'recorded_at', chunk_time_interval => interval '7 days');
CREATE INDEX rejected_event_pending ON rejected_event (recorded_at) WHERE relayed_at IS NULL;
CREATE INDEX rejected_event_cause ON rejected_event (feed_id, rule, recorded_at DESC);

-- ---------------------------------------------------------------------------------------------- aggregates
-- Contributions, appended by the agents in the position's own transaction and folded into the cells by the roll-up.
CREATE TABLE measure_delta (
    delta_id    bigint GENERATED ALWAYS AS IDENTITY,
    feed_id     smallint NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    sums        bigint[] NOT NULL,                    -- by measure.slot, signed
    appended_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

CREATE TABLE member_delta (
    measure_id  integer NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    member      uuid NOT NULL,                        -- hash of the subject (guest, seller, ...)
    n           integer NOT NULL                      -- signed number of records
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- period: day, week (from Monday), month, quarter, year; bucket: its first day. One row holds all measures of a feed.
CREATE TABLE measure_cell (
    feed_id     smallint NOT NULL,
    period      text NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    sums        bigint[] NOT NULL,                    -- by measure.slot; a distinct measure's slot holds the count
    PRIMARY KEY (feed_id, period, area_id, bucket)
) WITH (fillfactor = 60);
SELECT create_hypertable('measure_cell', 'bucket', chunk_time_interval => interval '3 months');

CREATE TABLE distinct_member (
    measure_id  integer NOT NULL,
    period      text NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    member      uuid NOT NULL,
    n           integer NOT NULL CHECK (n <> 0),
    PRIMARY KEY (measure_id, period, area_id, bucket, member)
);

-- What people read: every indicator's value, of every kind, one row a sector, area and period.
CREATE TABLE indicator_cell (
    sector      text NOT NULL,
    period      text NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    figures     double precision[] NOT NULL,          -- by indicator.slot; null = no value
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sector, period, area_id, bucket)
) WITH (fillfactor = 60);
SELECT create_hypertable('indicator_cell', 'bucket', chunk_time_interval => interval '3 months');

CREATE VIEW indicator_value AS
SELECT i.code, i.version, i.sector, i.kind, i.unit, a.area_id, a.code AS area_code, a.level AS area_level,
       a.name_vi AS area_name, c.period, c.bucket, c.figures[i.slot] AS value, c.updated_at
FROM indicator i
JOIN indicator_cell c ON c.sector = i.sector
JOIN area a ON a.area_id = c.area_id
WHERE i.live AND c.figures[i.slot] IS NOT NULL;

CREATE FUNCTION sums_add(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(SELECT coalesce(x, 0) + coalesce(y, 0) FROM unnest(a, b) AS pair (x, y));
