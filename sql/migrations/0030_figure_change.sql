-- Changes of figures for others: the roll-up marks each cell that it changes, in its own transaction; the relay turns
-- marks into events, and removes an event once Kafka has acknowledged it.

-- One row a cell however often it changed meanwhile: what nobody relays never grows beyond the cells themselves.
CREATE TABLE figure_change (
    sector      text NOT NULL,
    period      text NOT NULL,
    area_id     integer NOT NULL,
    bucket      date NOT NULL,
    before      double precision[],                   -- the figures before the first change since the last relay; null = there was no cell
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sector, period, area_id, bucket)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- Grows by one with each relay: a later change of a figure always has the higher revision.
CREATE SEQUENCE figure_revision;

-- Kafka records that wait for their acknowledgement.
CREATE TABLE figure_record (
    figure_record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL,                        -- the area, so that changes of a figure keep their order
    value       bytea NOT NULL,                       -- one CloudEvent as JSON, or an array of them
    events      integer NOT NULL
);

GRANT USAGE ON SEQUENCE figure_revision TO {writer};
