-- What does not fit: positions that belong to another log, contributions that cannot be folded, revisions that came late.

ALTER TABLE stream_position ADD COLUMN topic_id uuid; -- Kafka's id of the topic that next_offset counts in; null = not known yet

-- deleted: by Kafka before it was read; skipped: never shown by the log (transaction markers, compaction);
-- remade, truncated: an operator let the reading go on in another log, see stream_halt.
ALTER TABLE stream_gap ADD COLUMN kind text NOT NULL DEFAULT 'deleted'
    CHECK (kind IN ('deleted', 'skipped', 'remade', 'truncated'));
ALTER TABLE stream_gap DROP CONSTRAINT stream_gap_pkey;
ALTER TABLE stream_gap ADD PRIMARY KEY (topic, partition, from_offset, found_at);

-- Partitions whose stored position does not belong to the log: nothing of them is stored until `ioc position accept`.
CREATE TABLE stream_halt (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('remade', 'truncated')),
    position    bigint NOT NULL,                      -- the stored one
    log_start   bigint NOT NULL,                      -- first offset that Kafka held when it was found
    log_end     bigint NOT NULL,
    found_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

-- Contributions that could not be folded (a sum would run over, a date that no figure can be computed for). They are
-- tried again from time to time: once a correction has made room, they fit.
CREATE TABLE contribution_set_aside (
    set_aside_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed_id     smallint NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    sums        bigint[],                             -- of a measure_delta
    measure_id  integer,                              -- of a member_delta, with member and n
    member      uuid,
    n           integer,
    placed      boolean NOT NULL,
    appended_at timestamptz NOT NULL,                 -- when the agent wrote it: recorded_at of its records
    records     text[] NOT NULL,                      -- record keys that it comes from, at most 20
    fault       text NOT NULL,
    set_aside_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((sums IS NULL) = (member IS NOT NULL))
);

-- As measure_delta has it: tells which records a contribution comes from.
ALTER TABLE member_delta ADD COLUMN appended_at timestamptz NOT NULL DEFAULT now();

-- A revision that came after a newer one: kept, and told in the quality of who sent it.
ALTER TABLE record_revision ADD COLUMN reporter text; -- who sent it, where superseded
CREATE INDEX record_revision_superseded ON record_revision (feed_id, recorded_at) WHERE superseded;

-- What an operator has to look at now: the incident job and the boards read it here.
CREATE VIEW stream_fault AS
SELECT 'halted' AS fault, f.key AS feed, h.topic, h.partition, count(*) AS items, min(h.found_at) AS since,
       min(h.kind) AS detail
FROM stream_halt h LEFT JOIN feed f ON h.topic LIKE '%.' || f.key || '.v1'
GROUP BY f.key, h.topic, h.partition
UNION ALL
SELECT 'unstorable', f.key, NULL, NULL, count(*), min(r.recorded_at), min(r.reasons -> 0 ->> 'value')
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE r.rule = 'unstorable' AND r.replayed_at IS NULL AND r.recorded_at > now() - interval '7 days'
GROUP BY f.key
UNION ALL
SELECT 'set_aside', f.key, NULL, NULL, count(*), min(s.set_aside_at), min(s.fault)
FROM contribution_set_aside s JOIN feed f USING (feed_id)
GROUP BY f.key;
