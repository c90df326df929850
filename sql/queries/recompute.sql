-- Parts of statements that compute from the records what the agents have counted. `ioc.recompute.day_sum` and
-- `streams.rebuild.fill` put measures and tables where the braces are.

-- name: day_sums
-- What the records of each area add to each day, a column a measure; what a stock takes back is negative there.
SELECT area_id, day{totals} FROM ({parts}) part GROUP BY 1, 2

-- name: day_sums_of_column
SELECT area_id, {column} AS day{terms} FROM {table} WHERE {days} GROUP BY 1, 2

-- name: no_day_sums
SELECT area_id, effective_on AS day FROM {table} WHERE false

-- name: total
, sum({slot}) AS {slot}

-- name: term
, {sign} sum({amount}) AS {slot}

-- name: no_term
, 0::numeric AS {slot}

-- name: placed
-- Everything in the unit in which it counts on its day; what is local stays with the area that the record names.
WITH day_sum AS ({day_sums}) SELECT area_id, day{totals} FROM ({parts}) placed GROUP BY 1, 2

-- name: moving
SELECT p.unit_id AS area_id, d.day{slots} FROM day_sum d
JOIN area_placement p ON p.area_id = d.area_id AND d.day >= p.since AND d.day < p.until

-- name: staying
SELECT d.area_id, d.day{slots} FROM day_sum d

-- name: day_slot
, d.{slot} AS {slot}

-- name: zero_slot
, 0 AS {slot}

-- name: members
-- A row for each record that speaks of a member.
SELECT {slot} AS slot, area_id, {column} AS day, {member} AS member FROM {table}
WHERE {days} AND {member} IS NOT NULL

-- name: no_members
SELECT 0 AS slot, 0 AS area_id, NULL::date AS day, NULL::text AS member WHERE false

-- name: on_any_day
{column} IS NOT NULL

-- name: on_days
{column} BETWEEN {first} AND {last}

-- name: on_business_days
-- The business day follows from the time, so only the chunks around it are read; a day's margin for time zones.
{column} BETWEEN {first} AND {last} AND effective_at >= {first}::date - 1 AND effective_at < {last}::date + 2
