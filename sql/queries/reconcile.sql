-- name: create_chains
CREATE TEMPORARY TABLE chain ON COMMIT DROP AS
WITH RECURSIVE up (origin_id, area_id, parent_id) AS (
    SELECT area_id, area_id, parent_id FROM area
    UNION ALL
    SELECT up.origin_id, a.area_id, a.parent_id FROM up JOIN area a ON a.area_id = up.parent_id
)
SELECT origin_id, area_id FROM up;
CREATE INDEX ON chain (origin_id);
CREATE INDEX ON chain (area_id);
CREATE TEMPORARY TABLE period ON COMMIT DROP AS
SELECT * FROM (VALUES ('day', interval '1 day'), ('week', interval '7 days'), ('month', interval '1 month'),
                      ('quarter', interval '3 months'), ('year', interval '1 year')) AS p (period, length);
ANALYZE chain;
ANALYZE period
