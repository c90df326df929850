-- What is counted over spans of days: the year so far, and what stood on each day. Roll-up and series ask alike.

-- name: select_to_date
-- For each area and day: the sums of its year so far, in the order of the slots; of whole months, and days of the last.
SELECT t.area_id, t.last, array_agg(t.total ORDER BY t.ordinal) AS sums
FROM (
    SELECT w.area_id, w.last, s.ordinal, sum(coalesce(c.sums[s.slot], 0))::bigint AS total
    FROM unnest(%(areas)s::int[], %(lasts)s::date[]) AS w (area_id, last)
    CROSS JOIN LATERAL (
        SELECT sums FROM measure_cell
        WHERE feed_id = %(feed_id)s AND period = 'month' AND area_id = w.area_id
          AND bucket >= date_trunc('year', w.last)::date AND bucket < date_trunc('month', w.last)::date
        UNION ALL
        SELECT sums FROM measure_cell
        WHERE feed_id = %(feed_id)s AND period = 'day' AND area_id = w.area_id
          AND bucket BETWEEN date_trunc('month', w.last)::date AND w.last
    ) c
    CROSS JOIN unnest(%(slots)s::int[]) WITH ORDINALITY AS s (slot, ordinal)
    GROUP BY 1, 2, 3
) t GROUP BY 1, 2

-- name: count_members_to_date
-- The same of a distinct measure: its members of the year so far, each once.
SELECT w.area_id, w.last, count(DISTINCT d.member) AS members
FROM unnest(%(areas)s::int[], %(lasts)s::date[]) AS w (area_id, last)
JOIN area_chain c USING (area_id)
JOIN distinct_member d ON d.measure_id = %(measure_id)s AND d.area_id = c.origin_id AND d.n > 0
 AND d.bucket BETWEEN date_trunc('year', w.last)::date AND w.last
GROUP BY 1, 2

-- name: select_standing_days
-- For each area and span: the running totals of a level on each of its days, added up. A total stands until the next one.
SELECT w.area_id, w.first, w.last, array_agg(t.total ORDER BY t.ordinal) AS sums
FROM unnest(%(areas)s::int[], %(firsts)s::date[], %(lasts)s::date[]) AS w (area_id, first, last)
CROSS JOIN LATERAL (
    SELECT s.ordinal, sum(coalesce(c.sums[s.slot], 0) * (least(c.next, w.last + 1) - greatest(c.bucket, w.first)))::bigint
               AS total
    FROM (
        SELECT bucket, sums, lead(bucket, 1, 'infinity') OVER (ORDER BY bucket) AS next
        FROM (
            (SELECT bucket, sums FROM measure_cell
             WHERE feed_id = %(feed_id)s AND period = %(level)s AND area_id = w.area_id AND bucket <= w.first
             ORDER BY bucket DESC LIMIT 1)
            UNION ALL
            SELECT bucket, sums FROM measure_cell
            WHERE feed_id = %(feed_id)s AND period = %(level)s AND area_id = w.area_id
              AND bucket > w.first AND bucket <= w.last
        ) known
    ) c
    CROSS JOIN unnest(%(slots)s::int[]) WITH ORDINALITY AS s (slot, ordinal)
    GROUP BY s.ordinal
) t GROUP BY 1, 2, 3

-- name: count_union_to_date
-- Members of the year so far over the areas of each unit, each once.
SELECT w.unit_id, last.day, count(DISTINCT d.member) AS members
FROM unnest(%(units)s::int[], %(areas)s::int[]) AS w (unit_id, area_id)
JOIN area_chain c USING (area_id)
CROSS JOIN unnest(%(lasts)s::date[]) AS last (day)
JOIN distinct_member d ON d.measure_id = %(measure_id)s AND d.area_id = c.origin_id AND d.n > 0
 AND d.bucket BETWEEN date_trunc('year', last.day)::date AND last.day
GROUP BY 1, 2
