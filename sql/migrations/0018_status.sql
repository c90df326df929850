-- Where every indicator stands, why, and who has been told: what boards, API, command line and alert rules all read.

-- ---------------------------------------------------------------------------------------------- calendar
-- Days that are not as their weekday says: public holidays, Tết, and weekends that are worked in exchange for one.
CREATE TABLE holiday (
    day         date PRIMARY KEY,
    worked      boolean NOT NULL DEFAULT false,       -- true = a weekend day that is worked
    name_vi     text NOT NULL,
    name_en     text NOT NULL,
    source      text NOT NULL
);

-- Until when a period's reports are due. The most exact row counts: reporter before feed before cadence.
CREATE TABLE report_deadline (
    feed        text NOT NULL,                        -- '*' = any
    cadence     text NOT NULL,                        -- of the period that is reported: daily, monthly, ...
    reporter    text NOT NULL,                        -- glob of reporters' codes, '*' = any
    days        smallint NOT NULL CHECK (days >= 0),  -- after the period's last day
    working     boolean NOT NULL,                     -- whether only business days count
    due_at      time NOT NULL,                        -- local time of that day
    basis       text NOT NULL,
    PRIMARY KEY (feed, cadence, reporter)
);

-- ---------------------------------------------------------------------------------------------- targets
-- What a document asks of an indicator. Without an area: of every area where the indicator is a rate, else of the province.
CREATE TABLE target (
    target_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code        text NOT NULL,
    area_id     integer REFERENCES area,
    year        smallint,                             -- the year it is for; null = it holds at all times
    op          text NOT NULL CHECK (op IN ('>=', '<=')),
    value       double precision NOT NULL,
    due_on      date,                                 -- null = it holds at once and always
    baseline    double precision,
    baseline_on date,
    pace        text NOT NULL CHECK (pace IN ('at_once', 'linear', 'seasonal', 'steps')),
    steps       jsonb NOT NULL DEFAULT '[]',          -- [{"on": date, "value": number}], by date
    source      text NOT NULL,
    origin      text NOT NULL CHECK (origin IN ('catalogue', 'profile', 'command')),
    set_at      timestamptz NOT NULL DEFAULT now(),
    set_by      text NOT NULL DEFAULT '',
    ended_at    timestamptz,                          -- replaced or withdrawn; rows are never deleted
    CHECK ((due_on IS NULL) = (pace = 'at_once')),
    CHECK ((baseline IS NULL) = (baseline_on IS NULL)),
    CHECK (baseline_on < due_on)
);
CREATE UNIQUE INDEX target_standing ON target (code, coalesce(area_id, 0), coalesce(due_on, 'infinity'))
    WHERE ended_at IS NULL;

-- ---------------------------------------------------------------------------------------------- status
-- How one indicator stands in one area now. `bucket` is the period that is judged: the newest one that is over and
-- whose reports are in or overdue.
CREATE TABLE indicator_status (
    code        text NOT NULL,
    area_id     integer NOT NULL,
    sector      text NOT NULL,
    unit        text NOT NULL,
    owner       text NOT NULL,                        -- who answers for it, the first in the lead
    status      text NOT NULL CHECK (status IN
                ('on_track', 'at_risk', 'lagging', 'stale', 'incomplete', 'no_data', 'no_target')),
    since       timestamptz NOT NULL,                 -- when it became so
    period      text NOT NULL,
    bucket      date,                                 -- null = there is no figure
    through     date,                                 -- last business day that the figure holds
    value       double precision,
    target_id   integer,
    target_op   text,
    target      double precision,
    target_on   date,
    pace        text,
    expected    double precision,                     -- by now; null = not known (no baseline)
    lag         double precision,                     -- how far behind, >= 0: % of what is expected; points where the unit is %
    lag_in      text CHECK (lag_in IN ('%', 'point')),
    lag_days    double precision,                     -- by how many days the pace is behind; null = no pace
    forecast    double precision,                     -- at target_on if it goes on so
    forecast_low double precision,
    forecast_high double precision,
    needed_per_week double precision,                 -- change a week that still reaches the target
    unusual     boolean NOT NULL DEFAULT false,
    unusual_score double precision,                   -- robust deviations from its own past, signed
    usual       double precision,                     -- median of that past
    settlement  text CHECK (settlement IN ('provisional', 'settled', 'revised')),
    reported    integer,                              -- reporters that are in, of `due`; null = nobody is awaited by name
    due         integer,
    cause       text,                                 -- feed at fault for stale or incomplete
    computed_at timestamptz NOT NULL,
    PRIMARY KEY (code, area_id)
) WITH (fillfactor = 60);
CREATE INDEX indicator_status_area ON indicator_status (area_id, sector, status);
CREATE INDEX indicator_status_target ON indicator_status (status) WHERE target_id IS NOT NULL;

CREATE TABLE indicator_status_change (
    changed_at  timestamptz NOT NULL,
    code        text NOT NULL,
    area_id     integer NOT NULL,
    before      text,                                 -- null = first known
    status      text NOT NULL,
    period      text NOT NULL,
    bucket      date,
    value       double precision,
    expected    double precision,
    lag         double precision,
    settlement  text,
    reported    integer,
    due         integer,
    unusual     boolean NOT NULL
);
SELECT create_hypertable('indicator_status_change', 'changed_at', chunk_time_interval => interval '3 months');
CREATE INDEX indicator_status_change_code ON indicator_status_change (code, area_id, changed_at DESC);

-- ---------------------------------------------------------------------------------------------- quality
-- measure: correct (đúng), complete (đủ), clean (sạch), live (sống), and the parts behind them, see docs/quality.md.
CREATE TABLE quality_measure (
    day         date NOT NULL,
    measure     text NOT NULL,
    feed        text NOT NULL,                        -- '*' = all feeds of the sector
    sector      text NOT NULL,
    reporter    text NOT NULL DEFAULT '',             -- '' = all
    area_id     integer NOT NULL,                     -- the province's row holds all
    numerator   double precision NOT NULL,
    denominator double precision NOT NULL,
    share       double precision GENERATED ALWAYS AS (100 * numerator / nullif(denominator, 0)) STORED,
    detail      jsonb NOT NULL DEFAULT '{}',          -- missing reporters, rejections by rule, percentiles, ...
    measured_at timestamptz NOT NULL,
    PRIMARY KEY (day, measure, feed, sector, area_id, reporter)
) WITH (fillfactor = 80);
SELECT create_hypertable('quality_measure', 'day', chunk_time_interval => interval '3 months');
CREATE INDEX quality_measure_feed ON quality_measure (feed, measure, day DESC);

-- What a reporter says it has sent for a period: number of records, and the sum of one of their columns.
CREATE TABLE control_total (
    feed        text NOT NULL,
    reporter    text NOT NULL,
    first_on    date NOT NULL,
    last_on     date NOT NULL,
    records     bigint NOT NULL CHECK (records >= 0),
    summed      text NOT NULL DEFAULT '',             -- column of the record table; '' = only counted
    total       numeric,
    told_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (feed, reporter, first_on, last_on, summed),
    CHECK (first_on <= last_on),
    CHECK ((summed = '') = (total IS NULL))
);

-- ---------------------------------------------------------------------------------------------- incidents
-- One row a cause. It stays for ever; `closed_at` is set when the cause has ended.
CREATE TABLE incident (
    incident_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause       text NOT NULL,                        -- e.g. feed_silent:tourism.stay; one open incident a cause
    kind        text NOT NULL CHECK (kind IN
                ('pipeline_stopped', 'feed_silent', 'reporter_missing', 'rejections_up', 'control_total',
                 'events_set_aside', 'figures_differ', 'lagging')),
    severity    text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    sector      text NOT NULL,                        -- 'platform' = none of the sectors
    feed        text,
    code        text,                                 -- indicator, of a lag
    owner       text NOT NULL,
    title_vi    text NOT NULL,
    title_en    text NOT NULL,
    summary_vi  text NOT NULL,
    summary_en  text NOT NULL,
    evidence    jsonb NOT NULL,
    area_id     integer REFERENCES area,              -- the worst one; null = no area
    period      text,
    bucket      date,
    value       double precision,
    expected    double precision,
    lag         double precision,
    unit        text,
    forecast    double precision,
    indicators  integer NOT NULL DEFAULT 0,           -- how many it touches
    areas       integer NOT NULL DEFAULT 0,
    link        jsonb NOT NULL DEFAULT '{}',          -- what a board or page is opened with: sector, code, area, period, on
    since       timestamptz NOT NULL,                 -- when the cause began, as far as is known
    opened_at   timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,                 -- when its evidence was last found
    closed_at   timestamptz,
    reopened    integer NOT NULL DEFAULT 0,           -- how often it came back before it had ended for good
    step        smallint NOT NULL DEFAULT 0,          -- of the duty ladder: 0 owner, 1 deputy, 2 head, 3 provincial leader
    step_at     timestamptz NOT NULL,
    told        text NOT NULL DEFAULT '',             -- post that this step tells
    assigned_to text,
    assigned_at timestamptz,
    acknowledged_by text,
    acknowledged_at timestamptz,
    silenced_until timestamptz,
    silenced_by text,
    silence_reason text,
    CHECK (closed_at >= opened_at)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX incident_open ON incident (cause) WHERE closed_at IS NULL;
CREATE INDEX incident_opened ON incident (opened_at DESC);

CREATE TABLE incident_touch (
    incident_id bigint NOT NULL REFERENCES incident,
    code        text NOT NULL,
    area_id     integer NOT NULL,
    touched_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    PRIMARY KEY (incident_id, code, area_id)
);
CREATE INDEX incident_touch_code ON incident_touch (code, area_id) WHERE ended_at IS NULL;

-- What was known and done when. Only added to.
CREATE TABLE incident_change (
    change_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id bigint NOT NULL REFERENCES incident,
    changed_at  timestamptz NOT NULL,
    what        text NOT NULL CHECK (what IN
                ('opened', 'changed', 'reopened', 'closed', 'escalated', 'acknowledged', 'silenced', 'unsilenced', 'assigned')),
    by          text NOT NULL DEFAULT '',             -- post or name of who did it; '' = the platform
    through     text NOT NULL DEFAULT '',             -- link, command, API
    note        text NOT NULL DEFAULT '',
    severity    text NOT NULL,
    step        smallint NOT NULL,
    evidence    jsonb NOT NULL
);
CREATE INDEX incident_change_incident ON incident_change (incident_id, change_id);
REVOKE UPDATE, DELETE ON incident_change FROM {writer};

-- ---------------------------------------------------------------------------------------------- messages
-- What has to be sent by the platform itself (digests); a row is written with what it tells, and sent afterwards.
CREATE TABLE notification_outbox (
    notification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,                 -- e.g. digest:daily:2024-10-05:chu-tich:email; written once
    channel     text NOT NULL,                        -- email, webhook, telegram, zalo
    recipient   text NOT NULL,                        -- post of the duty ladder; addresses stay in the profile
    subject     text NOT NULL,
    body        jsonb NOT NULL,                       -- {"text": ..., "html": ...}
    incident_id bigint REFERENCES incident,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL DEFAULT now(),
    attempts    smallint NOT NULL DEFAULT 0,
    tried_at    timestamptz,
    error       text,
    sent_at     timestamptz
);
CREATE INDEX notification_outbox_waiting ON notification_outbox (due_at) WHERE sent_at IS NULL;

-- What was sent to whom, when, through what: by the outbox, and by Grafana as its webhook reports it.
CREATE TABLE notification_receipt (
    receipt_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,                 -- the same delivery is entered once
    incident_id bigint REFERENCES incident,
    step        smallint,
    notification_id bigint REFERENCES notification_outbox,
    sender      text NOT NULL CHECK (sender IN ('platform', 'grafana')),
    channel     text NOT NULL,
    recipient   text NOT NULL,
    sent_at     timestamptz NOT NULL,
    subject     text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX notification_receipt_incident ON notification_receipt (incident_id, sent_at);

-- ---------------------------------------------------------------------------------------------- scheduler
-- When each job of the scheduler last ran: a status that nobody keeps current any more is told from one that holds.
CREATE TABLE scheduler_job (
    job         text PRIMARY KEY,
    started_at  timestamptz,
    finished_at timestamptz,                          -- of the last run that succeeded
    seconds     double precision,
    failed_at   timestamptz,
    error       text,
    state       jsonb NOT NULL DEFAULT '{}'           -- where the next run goes on
);
