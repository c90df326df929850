-- name: select_indicator
SELECT i.code, i.version, i.sector, i.kind, i.name_vi, i.name_en, i.unit, i.cadence
FROM indicator i WHERE i.code = %s AND i.live

-- name: select_stored
-- Figures of the live version as readers see them; `hidden`: there is one, and they do not see it.
SELECT c.area_id, c.bucket, shown.figures[i.slot] AS value, shown.figures[i.slot] IS NULL AS hidden
FROM indicator i
JOIN indicator_cell c ON c.sector = i.sector
JOIN shown_cell shown ON shown.sector = c.sector AND shown.period = c.period AND shown.area_id = c.area_id AND shown.bucket = c.bucket
WHERE i.live AND i.code = %(code)s AND c.period = %(period)s AND c.area_id = ANY(%(areas)s)
  AND c.bucket BETWEEN %(first)s AND %(last)s AND shown.bucket BETWEEN %(first)s AND %(last)s AND c.figures[i.slot] IS NOT NULL

-- name: select_sector_slots
SELECT code, slot FROM indicator WHERE sector = %s AND live ORDER BY slot

-- name: select_reporters
SELECT f.key AS feed, r.code, r.name, r.area_code, r.attributes, r.valid_from, r.valid_to
FROM reporter r JOIN feed f USING (feed_id) WHERE f.key = %s

-- name: select_sums
-- The sums in the given slots, 0 where a row was written before the slot was given.
SELECT c.area_id, c.bucket AS day, ARRAY(
    SELECT coalesce(c.sums[slot], 0) FROM unnest(%(slots)s::int[]) WITH ORDINALITY AS s (slot, ordinal) ORDER BY ordinal
) AS sums
FROM measure_cell c
WHERE c.feed_id = %(feed_id)s AND c.period = %(period)s AND c.area_id = ANY(%(areas)s)
  AND c.bucket = ANY(%(days)s)

-- name: select_running_totals
-- The same of running totals, as they stood at the end of each day.
SELECT w.area_id, w.day, ARRAY(
    SELECT coalesce(c.sums[slot], 0) FROM unnest(%(slots)s::int[]) WITH ORDINALITY AS s (slot, ordinal) ORDER BY ordinal
) AS sums
FROM (SELECT area_id, day FROM unnest(%(areas)s::int[]) AS area_id, unnest(%(days)s::date[]) AS day) w
JOIN LATERAL (
    SELECT sums FROM measure_cell
    WHERE feed_id = %(feed_id)s AND period = %(level)s AND area_id = w.area_id AND bucket <= w.day
    ORDER BY bucket DESC LIMIT 1
) c ON true

-- name: count_members
-- How many different members there are over the areas of each unit.
SELECT w.unit_id, p.bucket AS day, count(DISTINCT d.member) AS members
FROM unnest(%(units)s::int[], %(areas)s::int[]) AS w (unit_id, area_id)
JOIN area_chain c USING (area_id)
CROSS JOIN unnest(%(buckets)s::date[], %(lasts)s::date[]) AS p (bucket, last)
JOIN distinct_member d ON d.measure_id = %(measure_id)s AND d.area_id = c.origin_id AND d.n > 0
 AND d.bucket BETWEEN p.bucket AND p.last
GROUP BY 1, 2

-- name: select_carried
-- For areas and days: how many of the areas that a reported level is of have not reported anew, and until which day the
-- oldest of their reports was; %(slot)s counts the reports, %(local)s: they are of the very area alone.
SELECT w.area_id, w.day, min(o.until) AS until, count(o.until)::int AS parts, count(*)::int AS areas
FROM unnest(%(areas)s::int[], %(days)s::date[]) AS w (area_id, day)
JOIN area a USING (area_id)
JOIN area_carry_over c ON c.area_id = w.area_id AND c.since <= w.day AND (NOT %(local)s OR c.origin_id = w.area_id)
CROSS JOIN LATERAL (SELECT least(w.day, a.valid_to - 1) AS last) d
JOIN LATERAL (
    SELECT coalesce(sums[%(slot)s], 0) AS reports FROM measure_cell
    WHERE feed_id = %(feed_id)s AND period = 'own_carried' AND area_id = c.origin_id AND bucket <= d.last
    ORDER BY bucket DESC LIMIT 1
) carried ON carried.reports <> 0
JOIN LATERAL (
    SELECT bucket, coalesce(sums[%(slot)s], 0) AS reports FROM measure_cell
    WHERE feed_id = %(feed_id)s AND period = 'own_reported' AND area_id = c.origin_id AND bucket <= d.last
    ORDER BY bucket DESC LIMIT 1
) now ON true
LEFT JOIN LATERAL (
    SELECT min(z.bucket) - 1 AS until FROM measure_cell z
    WHERE z.feed_id = %(feed_id)s AND z.period = 'own_reported' AND z.area_id = c.origin_id
      AND coalesce(z.sums[%(slot)s], 0) = 0 AND z.bucket > (
        SELECT max(f.bucket) FROM measure_cell f
        WHERE f.feed_id = %(feed_id)s AND f.period = 'own_reported' AND f.area_id = c.origin_id AND f.bucket <= d.last
          AND coalesce(f.sums[%(slot)s], 0) <> 0)
) o ON now.reports = 0
GROUP BY 1, 2 HAVING count(o.until) > 0
