-- name: lock
SELECT pg_advisory_xact_lock(7305003)

-- name: select_measures
SELECT m.measure_id, m.slot, f.key, m.kind, m.value, m.condition, m.at, m.until, m.decimals, m.local
FROM measure m JOIN feed f USING (feed_id) ORDER BY f.key, m.slot

-- name: select_begun_feeds
SELECT f.key FROM feed f WHERE EXISTS (SELECT FROM record_identity i WHERE i.feed_id = f.feed_id)

-- name: insert_measure
INSERT INTO measure (feed_id, slot, kind, value, condition, at, until, decimals, local)
SELECT f.feed_id, coalesce((SELECT max(slot) FROM measure m WHERE m.feed_id = f.feed_id), 0) + 1,
       %(kind)s, %(value)s, %(condition)s, %(at)s, %(until)s, %(decimals)s, %(local)s
FROM feed f WHERE f.key = %(feed)s
RETURNING measure_id

-- name: select_live
SELECT code, version, definition FROM indicator WHERE live

-- name: insert_indicator
INSERT INTO indicator (code, version, live, sector, slot, kind, definition, name_vi, name_en, unit, owner, cadence,
                       direction, target_op, target, target_on)
VALUES (%(code)s, (SELECT coalesce(max(version), 0) + 1 FROM indicator WHERE code = %(code)s), %(live)s, %(sector)s,
        (SELECT coalesce(max(slot), 0) + 1 FROM indicator WHERE sector = %(sector)s), %(kind)s, %(definition)s,
        %(name_vi)s, %(name_en)s, %(unit)s, %(owner)s, %(cadence)s, %(direction)s, %(target_op)s, %(target)s,
        %(target_on)s)

-- name: update_indicator
UPDATE indicator
SET definition = %(definition)s, name_vi = %(name_vi)s, name_en = %(name_en)s, unit = %(unit)s, owner = %(owner)s,
    cadence = %(cadence)s, direction = %(direction)s, target_op = %(target_op)s, target = %(target)s,
    target_on = %(target_on)s
WHERE code = %(code)s AND live

-- name: retire_indicator
UPDATE indicator SET live = false, retired_at = now() WHERE code = %s AND live

-- name: select_slots
SELECT sector, code, slot FROM indicator WHERE live ORDER BY sector, slot
