-- name: list_indicators
SELECT i.code, i.sector, i.kind, i.name_vi, i.name_en, i.unit, i.owner, i.cadence,
       CASE WHEN i.target IS NOT NULL THEN i.target_op || ' ' || i.target END AS target
FROM indicator i
WHERE i.live AND (%(sector)s::text IS NULL OR i.sector = %(sector)s)
  AND (%(search)s::text IS NULL OR i.code ILIKE '%%' || %(search)s || '%%' OR i.name_vi ILIKE '%%' || %(search)s || '%%'
       OR i.name_en ILIKE '%%' || %(search)s || '%%')
ORDER BY i.sector, i.slot

-- name: select_indicator
SELECT i.code, i.version, i.sector, i.kind, i.name_vi, i.name_en, i.unit, i.owner, i.cadence, i.direction,
       i.target_op, i.target, i.target_on, i.definition, i.created_at
FROM indicator i WHERE i.code = %s AND i.live

-- name: select_versions
SELECT version, CASE WHEN live THEN 'live' WHEN candidate THEN 'candidate' WHEN retired_at IS NULL THEN 'withdrawn'
                     ELSE 'retired' END AS state, created_at, retired_at, definition
FROM indicator WHERE code = %s ORDER BY version

-- name: select_latest
-- Of the units that exist now: the one without a parent, then those directly below it, whatever their level.
SELECT area_code, area_name, area_level, version, bucket, value FROM (
    SELECT v.*, a.valid_to, a.parent_id, above.parent_id AS grandparent_id, max(v.bucket) OVER () AS newest,
           row_number() OVER (PARTITION BY v.area_id ORDER BY v.bucket DESC) AS n
    FROM indicator_version_value v JOIN area a ON a.area_id = v.area_id
    LEFT JOIN area above ON above.area_id = a.parent_id
    WHERE v.code = %(code)s AND v.period = %(period)s
      AND CASE WHEN %(version)s::int IS NULL THEN v.live ELSE v.version = %(version)s END
) latest WHERE n = 1 AND valid_to > newest AND grandparent_id IS NULL ORDER BY parent_id IS NOT NULL, area_code

-- name: select_names
SELECT code, name_vi, name_en FROM indicator WHERE live

-- name: select_extreme_days
SELECT min(value) AS least, max(value) AS most FROM indicator_value
WHERE code = %(code)s AND area_id = %(area_id)s AND period = 'day' AND bucket BETWEEN %(first)s AND %(last)s

-- name: count_expected
-- Reporters x the periods that lie wholly within the span and their registration.
WITH RECURSIVE below (area_id) AS (
    SELECT %(area_id)s::int UNION ALL SELECT a.area_id FROM area a JOIN below b ON a.parent_id = b.area_id
), owed AS (
    SELECT greatest(r.valid_from, u.valid_from, %(first)s::date) AS low,
           least(r.valid_to - 1, u.valid_to - 1, %(last)s::date) AS high
    FROM reporter r JOIN feed f ON f.feed_id = r.feed_id AND f.key = %(feed)s
    JOIN area u ON u.code = r.area_code AND u.valid_from < r.valid_to AND r.valid_from < u.valid_to
    JOIN below USING (area_id)
)
SELECT count(*) FROM owed
CROSS JOIN LATERAL (SELECT CASE %(every)s WHEN 'quarter' THEN interval '3 months'
                                          ELSE ('1 ' || %(every)s)::interval END AS length) p
CROSS JOIN LATERAL generate_series(date_trunc(%(every)s, owed.low), owed.high, p.length) AS s (start)
WHERE owed.low <= owed.high AND s.start >= owed.low AND s.start + p.length <= owed.high + interval '1 day'

-- name: select_sector_codes
SELECT code FROM indicator WHERE sector = %s AND live ORDER BY slot

-- name: select_value
SELECT value, updated_at FROM indicator_value
WHERE code = %(code)s AND area_id = %(area_id)s AND period = %(period)s AND bucket = %(bucket)s

-- name: is_postponed
-- Whether the figures of a cell are due, and not computed yet.
SELECT EXISTS (SELECT FROM figure_postponed WHERE sector = %(sector)s AND period = %(period)s AND bucket = %(bucket)s
                                              AND %(area_id)s = ANY (areas)) AS postponed

-- name: select_freshness
SELECT f.key AS feed,
       (SELECT b.newest_received_at FROM stream_batch b WHERE b.feed_id = f.feed_id ORDER BY b.committed_at DESC LIMIT 1)
           AS newest_received_at,
       (SELECT count(*) FROM measure_delta d WHERE d.feed_id = f.feed_id) AS waiting
FROM feed f WHERE f.key = ANY(%(feeds)s) ORDER BY f.key

-- name: select_rejections
-- Those of the cell: of the business days that they name, or where they name none that can be read, that came in the
-- period; of reporters of the area, and of unknown ones in the whole province.
SELECT r.rule, r.reasons -> 0 ->> 'field' AS field, r.reasons -> 0 ->> 'message_vi' AS message_vi,
       r.reasons -> 0 ->> 'message_en' AS message_en, count(*) AS events, max(r.recorded_at) AS last_at
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s
  AND coalesce(r.effective_on, (r.recorded_at AT TIME ZONE %(timezone)s)::date) BETWEEN %(start)s AND %(end)s
  AND (r.reporter IN (SELECT p.code FROM reporter p JOIN area a ON a.code = p.area_code
                      WHERE p.feed_id = r.feed_id AND a.area_id = ANY(%(units)s))
       OR %(whole)s AND NOT EXISTS (SELECT FROM reporter p WHERE p.feed_id = r.feed_id AND p.code = r.reporter))
GROUP BY 1, 2, 3, 4 ORDER BY events DESC, 1, 2
