-- Members of distinct counts: a row for a member, a unit and a day, instead of one for each level and period as well. A
-- count above is the number of members that have a day there; it is kept in `measure_cell`, and changes by those whose
-- first day comes or whose last day goes. A fold looks for a member's nearest other days by the primary key.
CREATE TABLE member_day (
    measure_id  integer NOT NULL,
    member      uuid NOT NULL,                        -- hash of the subject (guest, seller, ...)
    bucket      date NOT NULL,
    area_id     integer NOT NULL,                     -- the unit that it counts in itself; of units above it there are no rows
    n           integer NOT NULL CONSTRAINT distinct_member_n_check CHECK (n <> 0)  -- how many records speak of it
);
-- What an area holds of its children was not its own.
INSERT INTO member_day (measure_id, member, bucket, area_id, n)
SELECT measure_id, member, bucket, area_id, sum(n) FROM (
    SELECT measure_id, member, bucket, area_id, n FROM distinct_member WHERE period = 'day'
    UNION ALL
    SELECT measure_id, member, bucket, a.parent_id, -n FROM distinct_member JOIN area a USING (area_id)
    WHERE period = 'day' AND a.parent_id IS NOT NULL
) held GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
DROP TABLE distinct_member;
ALTER TABLE member_day RENAME TO distinct_member;
ALTER TABLE distinct_member ADD CONSTRAINT distinct_member_pkey PRIMARY KEY (measure_id, member, bucket, area_id);
-- For counts of an area over any days. Many members share an area and day: the index takes a few bytes for each.
CREATE INDEX distinct_member_day_idx ON distinct_member (measure_id, area_id, bucket);

-- Every unit, and each unit of its chain: itself and those above it.
CREATE VIEW area_chain AS
WITH RECURSIVE up (origin_id, area_id, parent_id) AS (
    SELECT area_id, area_id, parent_id FROM area
    UNION ALL
    SELECT up.origin_id, a.area_id, a.parent_id FROM up JOIN area a ON a.area_id = up.parent_id
)
SELECT origin_id, area_id FROM up;
