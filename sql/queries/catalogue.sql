-- name: lock
SELECT pg_advisory_xact_lock(7305003)

-- name: select_epoch
SELECT epoch FROM catalogue_epoch

-- name: bump_epoch
UPDATE catalogue_epoch SET epoch = epoch + 1

-- name: select_measures
SELECT m.measure_id, m.slot, m.complete, f.key AS feed, m.kind, m.value, m.condition, m.at, m.until, m.decimals, m.local
FROM measure m JOIN feed f USING (feed_id) ORDER BY f.key, m.slot

-- name: select_reported_units
-- The unit in which agencies report an indicator: that of the live version.
SELECT DISTINCT ON (code) code, unit FROM indicator WHERE kind = 'reported' ORDER BY code, live DESC, version DESC

-- name: lock_positions
-- In the workers' own order, so that neither waits for the other in a circle.
SELECT FROM stream_position ORDER BY topic, partition FOR UPDATE

-- name: select_begun_feeds
SELECT f.key FROM feed f
WHERE EXISTS (SELECT FROM stream_batch b WHERE b.feed_id = f.feed_id)
   OR EXISTS (SELECT FROM measure_cell c WHERE c.feed_id = f.feed_id)

-- name: insert_measure
INSERT INTO measure (feed_id, slot, kind, value, condition, at, until, decimals, local, complete)
SELECT f.feed_id, coalesce((SELECT max(slot) FROM measure m WHERE m.feed_id = f.feed_id), 0) + 1,
       %(kind)s, %(value)s, %(condition)s, %(at)s, %(until)s, %(decimals)s, %(local)s, %(complete)s
FROM feed f WHERE f.key = %(feed)s
RETURNING measure_id

-- name: set_complete
UPDATE measure SET complete = true WHERE measure_id = ANY(%s)

-- name: select_current
-- The live version of each code, and the candidate where there is one.
SELECT code, sector, slot, candidate, leaving, definition FROM indicator
WHERE live OR candidate ORDER BY sector, slot

-- name: count_candidates
SELECT count(*) FROM indicator WHERE candidate

-- name: select_leaving
SELECT code FROM indicator WHERE leaving

-- name: insert_indicator
INSERT INTO indicator (code, version, live, candidate, sector, slot, kind, definition, name_vi, name_en, unit, owner,
                       cadence, direction, target_op, target, target_on)
VALUES (%(code)s, (SELECT coalesce(max(version), 0) + 1 FROM indicator WHERE code = %(code)s), %(live)s, NOT %(live)s,
        %(sector)s, (SELECT coalesce(max(slot), 0) + 1 FROM indicator WHERE sector = %(sector)s), %(kind)s,
        %(definition)s, %(name_vi)s, %(name_en)s, %(unit)s, %(owner)s, %(cadence)s, %(direction)s, %(target_op)s,
        %(target)s, %(target_on)s)

-- name: update_indicator
UPDATE indicator
SET definition = %(definition)s, name_vi = %(name_vi)s, name_en = %(name_en)s, unit = %(unit)s, owner = %(owner)s,
    cadence = %(cadence)s, direction = %(direction)s, target_op = %(target_op)s, target = %(target)s,
    target_on = %(target_on)s
WHERE code = %(code)s AND CASE WHEN %(candidate)s THEN candidate ELSE live END

-- name: set_leaving
UPDATE indicator SET leaving = %s WHERE live AND code = ANY(%s)

-- name: retire_indicators
UPDATE indicator SET live = false, leaving = false, retired_at = now() WHERE live AND code = ANY(%s)

-- name: withdraw_candidate
-- Neither live nor retired: it was never shown.
UPDATE indicator SET candidate = false WHERE candidate AND code = %s

-- name: retire_replaced
UPDATE indicator old SET live = false, leaving = false, retired_at = now()
FROM indicator new
WHERE old.live AND new.candidate AND new.code = old.code AND new.code = ANY(%s)

-- name: make_live
UPDATE indicator SET live = true, candidate = false WHERE candidate AND code = ANY(%s)
