-- What agencies report, carried forward; `streams.rollup.report_carry` says how.

-- name: select_carrying
-- Of areas, those that carry anything in the given slots at the end of the day before.
SELECT w.area_id
FROM unnest(%(areas)s::int[], %(days)s::date[]) AS w (area_id, day)
JOIN LATERAL (
    SELECT sums FROM measure_cell
    WHERE feed_id = %(feed_id)s AND period = 'own_carried' AND area_id = w.area_id AND bucket < w.day
    ORDER BY bucket DESC LIMIT 1
) c ON EXISTS (SELECT FROM unnest(%(slots)s::int[]) AS slot WHERE c.sums[slot] <> 0)

-- name: select_lacking
SELECT EXISTS (SELECT FROM measure_cell WHERE feed_id = %(feed_id)s AND period = 'carried')
   AND NOT EXISTS (SELECT FROM measure_cell WHERE feed_id = %(feed_id)s AND period = 'own_carried')

-- name: remove_levels
DELETE FROM measure_cell WHERE feed_id = %s AND period IN ('carried', 'own_carried', 'own_reported')

-- name: select_named_areas
SELECT area_id FROM {table} UNION SELECT area_id FROM measure_delta WHERE feed_id = %(feed_id)s ORDER BY 1

-- name: select_named_days
-- What records add to the days of an area that they name, less what waits to be folded: all in one snapshot.
SELECT day, ARRAY[{totals}]::bigint[] AS sums FROM (
    SELECT day{recorded} FROM ({day_sums}) recorded WHERE area_id = %(area_id)s
    UNION ALL
    SELECT d.bucket{waiting} FROM (
        SELECT feed_id, area_id, bucket, sums FROM measure_delta
        UNION ALL SELECT feed_id, area_id, bucket, sums FROM contribution_set_aside WHERE sums IS NOT NULL
    ) d WHERE d.feed_id = %(feed_id)s AND d.area_id = %(area_id)s
) part GROUP BY day ORDER BY day

-- name: recorded
, {name}

-- name: waiting
, -coalesce(d.sums[{slot}], 0) AS {name}

-- name: total
coalesce(sum({name}), 0)

-- name: nothing
0
