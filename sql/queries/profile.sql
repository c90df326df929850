-- name: claim
INSERT INTO profile (code, name_vi, name_en) VALUES (%(code)s, %(name_vi)s, %(name_en)s)
ON CONFLICT (only_row) DO UPDATE
SET name_vi = excluded.name_vi, name_en = excluded.name_en, loaded_at = now() WHERE profile.code = excluded.code

-- name: select_profile
SELECT code, name_vi FROM profile

-- name: upsert_area
INSERT INTO area (area_id, code, name_vi, name_en, level, parent_id, valid_from, valid_to, latitude, longitude)
VALUES (%(area_id)s, %(code)s, %(name_vi)s, %(name_en)s, %(level)s, %(parent_id)s, %(valid_from)s, %(valid_to)s,
        %(latitude)s, %(longitude)s)
ON CONFLICT (area_id) DO UPDATE
SET code = excluded.code, name_vi = excluded.name_vi, name_en = excluded.name_en, level = excluded.level,
    parent_id = excluded.parent_id, valid_from = excluded.valid_from, valid_to = excluded.valid_to,
    latitude = excluded.latitude, longitude = excluded.longitude

-- name: describe_areas
-- How units nest and follow one another, as one hash; null before any are loaded.
SELECT md5(string_agg(concat_ws(',', a.area_id, a.parent_id, a.valid_from, a.valid_to, p.since, p.unit_id), ';'
                      ORDER BY a.area_id, p.since))
FROM area a LEFT JOIN area_placement p USING (area_id)

-- name: describe_territory
-- All that processes load of areas and reporters.
SELECT (SELECT md5(string_agg(a::text, ';' ORDER BY a.area_id)) FROM area a),
       (SELECT md5(string_agg(p::text, ';' ORDER BY p.area_id, p.since)) FROM area_placement p),
       (SELECT md5(string_agg(r::text, ';' ORDER BY r.feed_id, r.code, r.valid_from)) FROM reporter r)

-- name: clear_placement
DELETE FROM area_placement;
DELETE FROM area_carry_over

-- name: copy_places
COPY area_placement (area_id, since, until, unit_id) FROM STDIN

-- name: copy_carry_overs
COPY area_carry_over (origin_id, area_id, since) FROM STDIN

-- name: stage_reporters
CREATE TEMPORARY TABLE staged_reporter (LIKE reporter) ON COMMIT DROP

-- name: copy_reporters
COPY staged_reporter (feed_id, code, name, area_code, attributes, valid_from, valid_to) FROM STDIN

-- name: remove_reporters
DELETE FROM reporter r WHERE NOT EXISTS (
    SELECT FROM staged_reporter s
    WHERE s.feed_id = r.feed_id AND s.code = r.code AND s.valid_from = r.valid_from)

-- name: set_reporters
-- Only what differs is written: every version of a reporter is kept.
INSERT INTO reporter AS r SELECT * FROM staged_reporter
ON CONFLICT (feed_id, code, valid_from) DO UPDATE
SET name = excluded.name, area_code = excluded.area_code, attributes = excluded.attributes, valid_to = excluded.valid_to
WHERE (r.name, r.area_code, r.attributes, r.valid_to)
      IS DISTINCT FROM (excluded.name, excluded.area_code, excluded.attributes, excluded.valid_to)

-- name: select_feed_ids
SELECT key, feed_id FROM feed
