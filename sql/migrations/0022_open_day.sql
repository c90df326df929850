-- The days on which a feed has counted anything, anywhere in the province: they open the periods that have figures. The
-- roll-up keeps it in the transaction that changes the cells. A report's end is foretold when it is sent: it opens no day.
CREATE TABLE open_day (
    feed_id     smallint NOT NULL REFERENCES feed,
    day         date NOT NULL,
    PRIMARY KEY (feed_id, day)
);
INSERT INTO open_day (feed_id, day)
SELECT DISTINCT c.feed_id, c.bucket
FROM measure_cell c JOIN feed f USING (feed_id) JOIN area a USING (area_id)
WHERE c.period = 'day' AND a.parent_id IS NULL AND (f.key <> 'report.value' OR 0 < ANY(c.sums));
