-- Parts of the questions that an explanation asks of the record tables.

-- name: both
{here} AND {when}

-- name: all_of
({conditions})

-- name: in_area
area_id = {area_id}

-- name: in_areas
area_id = ANY({area_ids}::integer[])

-- name: from_day
{at} >= {day}

-- name: before_day
{at} < {day}

-- name: on_days
{at} >= {first} AND {at} <= {last}

-- name: on_business_days
-- The bounds of time let PostgreSQL read only the chunks of the period; a day's margin for time zones.
{at} >= {first} AND {at} <= {last}
AND effective_at >= {first}::date - 1 AND effective_at < {last}::date + 2

-- name: since
{at} <= {last} {until}

-- name: until
 AND ({until} IS NULL OR {until} > {since})

-- name: total_of_sum
SELECT coalesce(sum({amount}), 0) AS total FROM {table} WHERE {counting}

-- name: total_of_members
SELECT count(DISTINCT {member}) AS total FROM {table} WHERE {counting}

-- name: amount
({adds})::double precision / {unit}

-- name: amount_of_days
-- What stands counts on each day of the span on which it stands.
({adds})::double precision / {unit} * (least(coalesce({until}, 'infinity'), {last} + 1) - greatest({at}, {first}))

-- name: held_reports
-- What was reported of areas, by the days for which it was.
SELECT area_id, {at} AS begun, {until} AS until, sum({amount})::bigint AS amount FROM {table}
WHERE area_id = ANY({areas}::integer[]) AND {at} <= {last} AND ({condition}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: carrying
{at} <= {last}
AND (EXISTS (SELECT FROM unnest({units}::integer[], {upto}::date[]) AS k (unit, upto)
             WHERE k.unit = area_id AND {until} >= k.upto)
     OR area_id = ANY({silent}::integer[]))

-- name: carried_days
greatest(least(coalesce((SELECT max(k.carried) FROM unnest({units}::integer[], {ends}::date[], {carried}::date[])
                                               AS k (unit, ended, carried)
                         WHERE k.unit = area_id AND k.ended = {until}), {until}), {last} + 1)
         - greatest({at}, {first}), 0)

-- name: amount_carried
({adds})::double precision / {unit} * {days}

-- name: adds_member
({member} IS NOT NULL)::int

-- name: adds_something
{counting} AND ({adds}) <> 0

-- name: counted_records
SELECT {feed} AS feed, reporter, record_key, revision, {at} AS counts_on, {amount} AS adds, {adds_to} AS adds_to,
       {place} AS place, received_at
FROM {table} WHERE {counts}

-- name: first_of_each
SELECT DISTINCT ON (feed, record_key) * FROM ({parts}) one ORDER BY feed, record_key, place

-- name: excluded_records
SELECT {feed} AS feed, reporter, record_key, revision, effective_on AS business_date, received_at
FROM {table} WHERE {lying} AND ({counts}) IS NOT TRUE

-- name: count_rows
SELECT count(*) AS total FROM ({source}) counted

-- name: page_of_records
SELECT * FROM ({source}) counted ORDER BY counts_on DESC, feed, record_key LIMIT %(limit)s OFFSET %(offset)s

-- name: page_of_excluded
SELECT * FROM ({source}) counted ORDER BY business_date DESC, feed, record_key LIMIT %(limit)s OFFSET %(offset)s

-- name: speaking_reporters
-- The chunks of the period alone are read; a day's margin for time zones.
SELECT DISTINCT {speaking} AS code FROM {table}
WHERE effective_on BETWEEN %(start)s AND %(end)s
  AND effective_at >= %(start)s::date - 1 AND effective_at < %(end)s::date + 2

-- name: speaking_places
unnest(ARRAY[reporter, {place}])

-- name: reports_by_day
-- Who has reported for which day; the chunks of the period alone are read, with a day's margin for time zones.
SELECT DISTINCT reporter, effective_on AS day FROM {table}
WHERE effective_on BETWEEN %(start)s AND %(end)s
  AND effective_at >= %(start)s::date - 1 AND effective_at < %(end)s::date + 2

-- name: reporting_agencies
SELECT DISTINCT reporter AS code FROM {table} WHERE {counting} AND ({condition})
