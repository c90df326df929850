-- A cell is looked up by its whole key. TimescaleDB's own index over the bucket alone offered itself for that wherever
-- a new chunk had no statistics yet: each lookup then read every cell of the day, hundreds to thousands, and marking
-- changed figures took 13 times as long as writing them. Who asks for the newest day asks for days, so that an index
-- over days is enough; it can serve no lookup by key, whose period is no constant.
DROP INDEX indicator_cell_bucket_idx;
DROP INDEX measure_cell_bucket_idx;
CREATE INDEX indicator_cell_day_idx ON indicator_cell (bucket DESC) WHERE period = 'day';
CREATE INDEX measure_cell_day_idx ON measure_cell (bucket DESC) WHERE period = 'day';
