-- What the Grafana boards ask. %(name)s is bound when the board is built; ${name:sqlstring} and $__macros are Grafana's.
-- People read text that is made here (number_text and its like), so that it is the same in any browser. Columns that are not
-- for people: color, code, area_id, sector, ... (they carry colours and links).
-- Shown big is the newest period that is over: shown_status holds it, with what was expected.

-- name: newest_day
SELECT newest_day()

-- name: area_choice
-- The units that stood on the newest day with data, the province first.
SELECT CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END AS __text, a.area_id::text AS __value
FROM area a, newest_day() AS day
WHERE day >= a.valid_from AND day < a.valid_to AND a.level <> 'country'
ORDER BY array_position(ARRAY['province', 'district', 'commune'], a.level), __text

-- name: sector_choice
SELECT name AS __text, sector AS __value FROM jsonb_each_text(%(sectors)s::jsonb) AS s (sector, name) ORDER BY name

-- name: indicator_choice
SELECT CASE %(language)s WHEN 'en' THEN name_en ELSE name_vi END AS __text, code AS __value
FROM indicator
WHERE live AND sector = ${sector:sqlstring}
ORDER BY slot

-- name: head_choice
-- The indicators whose course a sector's board shows: those with a target, worst first, then what is no part of a breakdown.
-- Only those that have a figure in the time range, in the chosen period or in their own: others would be empty panels.
SELECT CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END AS __text, i.code AS __value
FROM indicator i
LEFT JOIN shown_status s ON s.code = i.code AND s.area_id = ${area:sqlstring}::integer
CROSS JOIN LATERAL (SELECT s.target_id IS NULL AND i.target IS NULL AS nothing) asked
WHERE i.live AND i.sector = %(sector)s AND EXISTS (
    SELECT FROM shown_cell c
    WHERE c.sector = i.sector AND c.area_id = ${area:sqlstring}::integer
      AND c.period IN (CASE ${period:sqlstring} WHEN 'total' THEN 'day' ELSE ${period:sqlstring} END,
                       CASE i.cadence WHEN 'weekly' THEN 'week' WHEN 'monthly' THEN 'month' WHEN 'quarterly' THEN 'quarter' WHEN 'yearly' THEN 'year' ELSE 'day' END)
      AND c.bucket BETWEEN ($__timeFrom()::timestamptz AT TIME ZONE %(timezone)s)::date
                       AND ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
      AND c.figures[i.slot] IS NOT NULL)
ORDER BY asked.nothing, CASE WHEN NOT asked.nothing THEN status_rank(s.status) END, i.definition ->> 'breakdown' <> '', i.slot
LIMIT 6

-- name: as_of_choice
-- Days at whose close figures were kept, the newest first.
SELECT day_text(day, %(language)s) AS __text, day::text AS __value
FROM (SELECT DISTINCT (taken_at AT TIME ZONE %(timezone)s)::date - 1 AS day FROM figure_snapshot_run) closed
ORDER BY day DESC LIMIT 400

-- name: feed_choice
-- All of them first: Grafana's own choice of everything is English in every language.
SELECT __text, __value FROM (
    SELECT 0 AS place, %(labels)s::jsonb ->> 'all_feeds' AS __text, '*' AS __value
    UNION ALL
    SELECT 1, CASE %(language)s WHEN 'en' THEN name_en ELSE name_vi END, key FROM feed
) choice
ORDER BY place, __value

-- name: header
-- What a wall must say in place of the title that it hides: board, area, last day that is over.
SELECT coalesce((SELECT CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END FROM indicator i
                 WHERE i.live AND i.code = %(code)s), %(title)s) || ' · ' || CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END
       || CASE %(language)s WHEN 'en' THEN ' · data through ' ELSE ' · số liệu đến hết ngày ' END
       || coalesce(day_text(seen.through, %(language)s), '–') AS shown
FROM area a
CROSS JOIN (SELECT least(max(s.through), newest_day()) AS through FROM shown_status s
            WHERE s.area_id = ${area:sqlstring}::integer AND s.sector = ANY (%(chosen)s::text[])) seen
WHERE a.area_id = ${area:sqlstring}::integer

-- name: moment_header
SELECT %(title)s || ' · ' || moment_text(now(), %(timezone)s, %(language)s) AS shown

-- name: status_tile
-- How many indicators stand how, in the chosen area; of some of the statuses.
SELECT word.name, number_text(count(s.code), 0, %(language)s) AS shown,
       CASE WHEN count(s.code) > 0 THEN %(colors)s::jsonb ->> word.status ELSE %(colors)s::jsonb ->> '' END AS color
FROM jsonb_each_text(%(words)s::jsonb) AS word (status, name)
LEFT JOIN shown_status s
    ON s.status = word.status AND s.area_id = ${area:sqlstring}::integer AND s.sector = ANY (%(chosen)s::text[])
WHERE word.status = ANY (%(wanted)s::text[])
GROUP BY word.status, word.name
ORDER BY status_rank(word.status)

-- name: sector_tile
-- A tile a sector, worst first, numbered by `rank`: how many indicators stand how. Those of which nothing is asked are told where there are no others. A number and its word are not torn apart; two spaces keep them off the name.
SELECT sector.name, sector.key AS sector,
       U&'\00A0\00A0' || coalesce((SELECT string_agg(replace(number_text(n, 0, %(language)s) || ' ' || (%(short)s::jsonb ->> status), ' ', U&'\00A0'), ' · '
                                   ORDER BY status_rank(status))
                 FROM unnest(count.statuses, count.numbers) AS part (status, n)
                 WHERE status <> 'no_target' OR cardinality(count.statuses) = 1), %(short)s::jsonb ->> 'no_data') AS shown,
       %(colors)s::jsonb ->> coalesce(count.statuses[1], 'no_data') AS color,
       row_number() OVER (ORDER BY count.lagging DESC NULLS LAST, count.at_risk DESC NULLS LAST,
                          status_rank(count.statuses[1]), sector.name)::integer AS rank
FROM jsonb_each_text(%(sectors)s::jsonb) AS sector (key, name)
LEFT JOIN (
    SELECT sector, array_agg(status ORDER BY status_rank(status)) AS statuses, array_agg(n ORDER BY status_rank(status)) AS numbers,
           sum(n) FILTER (WHERE status = 'lagging') AS lagging, sum(n) FILTER (WHERE status = 'at_risk') AS at_risk
    FROM (SELECT sector, status, count(*) AS n FROM shown_status
          WHERE area_id = ${area:sqlstring}::integer GROUP BY 1, 2) each_status
    GROUP BY sector
) count ON count.sector = sector.key
ORDER BY rank

-- name: worst_lag
-- The ten that lag most. The cause: an open incident of the data that touches the indicator; else where it is furthest behind.
SELECT coalesce(lag_text(nullif(s.lag, 0), s.lag_in, %(language)s), '–') AS lag,
       CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END AS indicator,
       coalesce(amount_text(s.value, unit.name, %(language)s) || CASE WHEN s.unit = '%%' AND NOT s.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END,
                CASE WHEN s.hidden THEN %(labels)s::jsonb ->> 'hidden' ELSE '–' END) AS value,
       coalesce(amount_text(s.expected, unit.name, %(language)s), '–') AS expected,
       coalesce(amount_text(s.forecast, unit.name, %(language)s), '–') AS forecast,
       coalesce(cause.title, (%(labels)s::jsonb ->> 'furthest') || place.names, '–') AS cause,
       %(words)s::jsonb ->> s.status AS status, s.code, s.sector
FROM (SELECT s.* FROM shown_status s JOIN indicator i ON i.code = s.code AND i.live
      WHERE s.area_id = ${area:sqlstring}::integer AND s.status IN ('lagging', 'at_risk') AND s.sector = ANY (%(chosen)s::text[])
      ORDER BY status_rank(s.status), s.lag DESC NULLS LAST, s.code
      LIMIT 10) s
JOIN indicator i ON i.code = s.code AND i.live
CROSS JOIN LATERAL (SELECT coalesce(%(units)s::jsonb ->> s.unit, s.unit) AS name) unit
LEFT JOIN LATERAL (
    SELECT CASE %(language)s WHEN 'en' THEN n.title_en ELSE n.title_vi END AS title
    FROM incident_touch t JOIN incident n USING (incident_id)
    WHERE t.code = s.code AND t.area_id = s.area_id AND t.ended_at IS NULL AND n.closed_at IS NULL AND n.kind <> 'lagging'
    ORDER BY n.opened_at LIMIT 1
) cause ON true
CROSS JOIN LATERAL (
    SELECT string_agg(worst.name, ', ' ORDER BY worst.place) AS names
    FROM (SELECT CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END AS name,
                 row_number() OVER (ORDER BY below.lag DESC, a.area_id) AS place
          FROM shown_status below JOIN area a USING (area_id)
          WHERE below.code = s.code AND a.parent_id = s.area_id AND below.status = 'lagging' AND below.lag > 0
          ORDER BY place LIMIT 3) worst
) place
ORDER BY status_rank(s.status), s.lag DESC NULLS LAST, s.code

-- name: indicator_tile
-- The head figures of a sector: those with a target, worst first, then what is no part of a breakdown. Beside each value its
-- day, what was expected by then, and the same day of the week before (of other periods: the period before).
WITH head AS MATERIALIZED (
    SELECT i.code, i.name_vi, i.name_en, i.unit, i.slot, s.period, s.bucket, s.status, s.value, s.expected, s.hidden,
           row_number() OVER (ORDER BY asked.nothing, CASE WHEN NOT asked.nothing THEN status_rank(s.status) END,
                              i.definition ->> 'breakdown' <> '', i.slot)::integer AS rank
    FROM indicator i
    LEFT JOIN shown_status s ON s.code = i.code AND s.sector = %(sector)s AND s.area_id = ${area:sqlstring}::integer
    CROSS JOIN LATERAL (SELECT s.target_id IS NULL AND i.target IS NULL AS nothing) asked
    WHERE i.live AND i.sector = %(sector)s
    ORDER BY rank
    LIMIT 6
)
SELECT CASE %(language)s WHEN 'en' THEN h.name_en ELSE h.name_vi END
       || coalesce(' · ' || period_text(h.period, h.bucket, %(language)s), '')
       || coalesce(' · ' || (%(labels)s::jsonb ->> 'expected') || ' ' || amount_text(h.expected, unit.name, %(language)s), '')
       || coalesce(' · ' || (%(labels)s::jsonb ->> CASE h.period WHEN 'day' THEN 'week_before' ELSE 'before' END) || ' '
                   || amount_text(c.figures[h.slot], unit.name, %(language)s), '') AS name,
       -- A figure and its unit are not torn apart, unless they are longer than a tile.
       CASE WHEN length(told.shown) > 18 THEN told.shown ELSE replace(told.shown, ' ', U&'\00A0') END AS shown,
       %(colors)s::jsonb ->> coalesce(h.status, 'no_data') AS color, h.code, h.rank
FROM head h
CROSS JOIN LATERAL (SELECT coalesce(%(units)s::jsonb ->> h.unit, h.unit) AS name) unit
CROSS JOIN LATERAL (SELECT coalesce(amount_text(h.value, unit.name, %(language)s) || CASE WHEN h.unit = '%%' AND NOT h.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END,
                                    CASE WHEN h.hidden THEN %(labels)s::jsonb ->> 'hidden' END,
                                    %(words)s::jsonb ->> 'no_data') AS shown) told
LEFT JOIN LATERAL (
    SELECT figures FROM shown_cell
    WHERE sector = %(sector)s AND period = h.period AND area_id = ${area:sqlstring}::integer
      AND bucket = period_before(h.period, h.bucket)
    OFFSET 0
) c ON true
ORDER BY h.rank

-- name: indicator_table
-- Every live indicator of a sector, worst first. A percentage beyond 0 and 100 has a star: the indicator's board says why. `running` is what has come in of the day that is not over yet.
WITH judged AS MATERIALIZED (
    SELECT * FROM shown_status WHERE sector = %(sector)s AND area_id = ${area:sqlstring}::integer
), before AS MATERIALIZED (
    -- One look at the index a period; joined to each indicator, all cells of the area would be read.
    SELECT span.period, span.bucket, c.figures
    FROM (SELECT DISTINCT period, bucket FROM judged) span
    CROSS JOIN LATERAL (
        SELECT figures FROM shown_cell
        WHERE sector = %(sector)s AND period = span.period AND area_id = ${area:sqlstring}::integer
          AND bucket = period_before(span.period, span.bucket)
        OFFSET 0
    ) c
), running AS MATERIALIZED (
    SELECT bucket, figures FROM shown_cell
    WHERE sector = %(sector)s AND period = 'day' AND area_id = ${area:sqlstring}::integer AND bucket = (SELECT newest_day())
)
SELECT CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END AS indicator,
       %(words)s::jsonb ->> coalesce(s.status, 'no_data') AS status,
       coalesce(amount_text(s.value, unit.name, %(language)s) || CASE WHEN s.unit = '%%' AND NOT s.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END,
                CASE WHEN s.hidden THEN %(labels)s::jsonb ->> 'hidden' ELSE '–' END) AS value,
       coalesce(period_text(s.period, s.bucket, %(language)s), '–') AS period,
       coalesce(amount_text(s.expected, unit.name, %(language)s), '–') AS expected,
       coalesce(lag_text(nullif(s.lag, 0), s.lag_in, %(language)s), '–') AS lag,
       coalesce(change_text(s.value - before.figures[i.slot], unit.name, %(language)s), '–') AS change,
       coalesce(amount_text(running.figures[i.slot], unit.name, %(language)s), '–') AS running,
       coalesce(%(owners)s::jsonb ->> split_part(i.owner, '; ', 1), split_part(i.owner, '; ', 1)) AS owner, i.code
FROM indicator i
LEFT JOIN judged s ON s.code = i.code
CROSS JOIN LATERAL (SELECT coalesce(%(units)s::jsonb ->> i.unit, i.unit) AS name) unit
LEFT JOIN before ON before.period = s.period AND before.bucket = s.bucket
LEFT JOIN running ON s.period = 'day' AND s.bucket < running.bucket
WHERE i.live AND i.sector = %(sector)s
ORDER BY status_rank(coalesce(s.status, 'no_data')), s.lag DESC NULLS LAST, i.slot

-- name: series
-- One indicator over time beside the same period of the year before and what is asked of it by the end of each period, as
-- statuses are judged (an indicator without any figure of a short period is shown by its own longer one): a duty that holds at all times, or (of figures that begin anew with the year) by each year's end; the way
-- from the baseline (or the first known value) to the target; steps. `total` in place of a period adds the days of each year up, and what is asked is the pace of a year's total: even,
-- by last year's own curve, or by steps. Every period of the range has a row: a line breaks where there is no figure. Money
-- and large numbers are scaled, and the names say to what. Nothing is drawn beyond the newest day, and a target of a year's
-- total is not drawn among days, weeks, months and quarters.
WITH asked_for AS (
    SELECT i.code, i.slot, i.sector, i.unit, i.kind, shown.period, shown.summed,
           coalesce(i.definition ->> 'formula' ~ '\mytd\(', false) AS begins_anew,
           (shown.from_at AT TIME ZONE %(timezone)s)::date AS first_on,
           date_trunc(CASE WHEN shown.summed THEN 'year' ELSE shown.period END, shown.from_at AT TIME ZONE %(timezone)s) AS first_bucket,
           least(date_trunc(shown.period, shown.to_at AT TIME ZONE %(timezone)s), newest_day()) AS last_bucket
    FROM indicator i
    CROSS JOIN LATERAL (SELECT CASE ${period:sqlstring} WHEN 'total' THEN 'day' ELSE ${period:sqlstring} END AS period,
                               CASE i.cadence WHEN 'weekly' THEN 'week' WHEN 'monthly' THEN 'month' WHEN 'quarterly' THEN 'quarter' WHEN 'yearly' THEN 'year' ELSE 'day' END AS own,
                               $__timeFrom()::timestamptz AS from_at, $__timeTo()::timestamptz AS to_at) chosen
    CROSS JOIN LATERAL (SELECT CASE WHEN array_position(ARRAY['day', 'week', 'month', 'quarter', 'year'], own)
                                         > array_position(ARRAY['day', 'week', 'month', 'quarter', 'year'], chosen.period)
                                     AND NOT EXISTS (
                                         SELECT FROM shown_cell c
                                         WHERE c.sector = i.sector AND c.period = chosen.period
                                           AND c.area_id = ${area:sqlstring}::integer
                                           AND c.bucket BETWEEN (from_at AT TIME ZONE %(timezone)s)::date
                                                            AND (to_at AT TIME ZONE %(timezone)s)::date
                                           AND c.figures[i.slot] IS NOT NULL)
                                THEN own ELSE chosen.period END AS period,
                               ${period:sqlstring} = 'total' AND i.kind = 'flow' AS summed, from_at, to_at
                        OFFSET 0) shown -- asked once, and not wherever the period is named
    WHERE i.live AND i.code = %(code)s
), asked AS (
    SELECT t.code, t.op, t.value, t.due_on, t.pace, t.steps, t.baseline AS given, extract(year FROM t.due_on)::int AS year,
           i.kind IN ('flow', 'distinct') AND t.due_on IS NOT NULL AS is_total,
           coalesce(t.baseline_on, new_year.base_on, first.through) AS base_on,
           CASE WHEN t.baseline_on IS NOT NULL THEN t.baseline WHEN new_year.base_on IS NOT NULL THEN 0 ELSE first.value END AS base,
           t.baseline_on IS NULL AND new_year.base_on IS NULL AS is_first, t.due_on IS NULL AND i.begins_anew AS of_each_year,
           t.due_on IS NOT NULL AND i.begins_anew AS of_one_year
    FROM target t
    JOIN asked_for i USING (code)
    CROSS JOIN LATERAL (SELECT CASE WHEN i.begins_anew AND t.pace <> 'steps' THEN make_date(extract(year FROM t.due_on)::int - 1, 12, 31) END AS base_on)
        new_year
    LEFT JOIN LATERAL (
        SELECT (bucket + period_step(i.period))::date - 1 AS through, figures[i.slot] AS value FROM shown_cell
        WHERE sector = i.sector AND period = i.period AND area_id = ${area:sqlstring}::integer AND figures[i.slot] IS NOT NULL
          AND t.due_on IS NOT NULL AND t.baseline_on IS NULL AND t.pace <> 'steps' AND i.kind NOT IN ('flow', 'distinct')
        ORDER BY bucket LIMIT 1
    ) first ON true
    WHERE t.ended_at IS NULL AND (t.area_id IS NULL OR t.area_id = ${area:sqlstring}::integer)
      AND (t.due_on IS NULL OR i.kind NOT IN ('flow', 'distinct') OR i.summed OR i.period = 'year')
    -- The one that statuses are judged by: what holds at once, is due next, was due last.
    ORDER BY t.area_id NULLS LAST, t.due_on IS NOT NULL, t.due_on < newest_day(), abs(t.due_on - newest_day()) LIMIT 1
), season_of_level AS (
    -- The year before the target's day follows the curve of the year before it.
    SELECT a.value - a.base AS way, a.due_on, span.begins, (span.begins - a.base_on)::float8 / (a.due_on - a.base_on) AS even,
           a.of_one_year, CASE i.period WHEN 'month' THEN 31 WHEN 'quarter' THEN 92 WHEN 'year' THEN 366 ELSE 7 END AS days
    FROM asked a
    JOIN asked_for i USING (code)
    CROSS JOIN LATERAL (SELECT greatest(a.base_on, (a.due_on - interval '1 year')::date) AS begins) span
    WHERE a.pace = 'seasonal' AND NOT a.is_total AND a.base_on < a.due_on
), held AS MATERIALIZED (
    -- Ranges of the index, each read once: the periods of the range, those of the year before, and of a seasonal pace the year
    -- that it follows, or the days before the ends of its way.
    SELECT span.what, c.bucket, c.figures[i.slot] AS value
    FROM asked_for i
    CROSS JOIN LATERAL (
        VALUES ('now', i.first_bucket::date, i.last_bucket::date),
               ('past', (i.first_bucket - interval '1 year')::date, (i.last_bucket - interval '1 year')::date + 2)
        UNION ALL
        SELECT 'season', make_date(a.year - 1, 1, 1), make_date(a.year - 1, 12, 31)
        FROM asked a WHERE a.pace = 'seasonal' AND a.is_total AND i.summed
        UNION ALL
        SELECT 'level', (way_end.first - interval '1 year')::date - 2 * l.days, (way_end.last - interval '1 year')::date
        FROM season_of_level l
        CROSS JOIN LATERAL (VALUES (l.begins, l.begins), (l.due_on, l.due_on),
                                   (i.first_bucket::date, (i.last_bucket + period_step(i.period))::date)) AS way_end (first, last)
    ) AS span (what, first, last)
    CROSS JOIN LATERAL (
        SELECT bucket, figures FROM shown_cell
        WHERE sector = i.sector AND period = i.period AND area_id = ${area:sqlstring}::integer AND bucket BETWEEN span.first AND span.last
        OFFSET 0
    ) c
), cell AS (
    SELECT b::date AS bucket, (b + period_step(i.period))::date - 1 AS through, now.value, before.value AS past,
           extract(year FROM b)::int AS year
    FROM asked_for i
    CROSS JOIN generate_series(i.first_bucket, i.last_bucket, period_step(i.period)) AS b
    LEFT JOIN held now ON now.what = 'now' AND now.bucket = b::date
    LEFT JOIN held before ON before.what = 'past'
        AND before.bucket = CASE i.period WHEN 'week' THEN b::date - 364 ELSE (b - interval '1 year')::date END
), shown AS (
    SELECT c.bucket, c.through, CASE WHEN i.summed THEN sum(c.value) OVER years ELSE c.value END AS value,
           CASE WHEN i.summed THEN sum(c.past) OVER years ELSE c.past END AS past, i.unit, i.code, i.kind, i.summed, c.year
    FROM cell c CROSS JOIN asked_for i
    WINDOW years AS (PARTITION BY c.year ORDER BY c.bucket)
), season AS (
    -- What the year before had reached by the target's day of it; half a year is no curve.
    SELECT sum(c.value) FILTER (WHERE c.bucket <= (a.due_on - interval '1 year')::date) AS whole
    FROM asked a JOIN held c ON c.what = 'season'
    HAVING count(*) >= 350
), level AS (
    SELECT d.day, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.value) AS value
    FROM season_of_level l
    CROSS JOIN LATERAL (
        SELECT (s.through - interval '1 year')::date AS day FROM shown s
        UNION SELECT (ends.day - interval '1 year')::date FROM unnest(ARRAY[l.begins, l.due_on]) AS ends (day)
    ) d
    JOIN (SELECT DISTINCT h.bucket, (h.bucket + period_step(i.period))::date - 1 AS through, h.value
          FROM held h CROSS JOIN asked_for i WHERE h.what = 'level' AND h.value IS NOT NULL) c
        ON c.through BETWEEN d.day - l.days + 1 AND d.day
    GROUP BY d.day
), way AS (
    -- A year that went the other way, or hardly moved, is no guide.
    SELECT l.begins, l.even, gone.begun, gone.ended
    FROM season_of_level l
    JOIN level ended ON ended.day = (l.due_on - interval '1 year')::date
    LEFT JOIN level begun ON begun.day = (l.begins - interval '1 year')::date
    CROSS JOIN LATERAL (SELECT CASE WHEN l.of_one_year THEN 0 ELSE begun.value END AS begun, ended.value AS ended) gone
    WHERE begun.value IS NOT NULL AND (gone.ended - gone.begun) * l.way > 0 AND abs(gone.ended - gone.begun) >= 0.1 * abs(l.way)
), line AS (
    SELECT s.*, CASE
        WHEN a.is_total AND s.year <> a.year THEN NULL
        WHEN a.of_one_year AND extract(year FROM s.through)::int <> a.year THEN NULL
        WHEN a.of_each_year THEN a.value * extract(doy FROM s.through)::float8
            / extract(doy FROM make_date(extract(year FROM s.through)::int, 12, 31))::float8
        WHEN a.due_on IS NULL OR a.pace = 'at_once' OR s.through >= a.due_on THEN a.value
        WHEN a.pace = 'steps' AND step.value IS NULL THEN NULL -- before the first step; `least` would pass over it
        WHEN a.pace = 'steps' AND a.is_total AND a.op = '<=' THEN step.value
        WHEN a.pace = 'steps' THEN CASE WHEN a.op = '>=' THEN least(step.value, a.value) ELSE greatest(step.value, a.value) END
        WHEN a.is_total THEN a.value * least(1, coalesce(s.past / season.whole,
            (s.through - make_date(a.year, 1, 1) + 1)::float8 / (a.due_on - make_date(a.year, 1, 1) + 1)))
        WHEN a.base IS NULL OR (a.is_first AND a.base_on >= s.through) OR a.base_on > s.through THEN NULL
        WHEN CASE a.op WHEN '>=' THEN a.base >= a.value ELSE a.base <= a.value END THEN a.value
        WHEN s.through >= way.begins AND reached.value IS NOT NULL THEN a.base + (a.value - a.base)
            * (way.even + (1 - way.even) * least(1, greatest(0, (reached.value - way.begun) / (way.ended - way.begun))))
        ELSE a.base + (a.value - a.base) * (s.through - a.base_on) / (a.due_on - a.base_on) END AS asked
    FROM shown s
    LEFT JOIN asked a USING (code)
    LEFT JOIN season ON true
    LEFT JOIN way ON true
    LEFT JOIN level reached ON reached.day = (s.through - interval '1 year')::date
    LEFT JOIN LATERAL (
        SELECT CASE WHEN a.is_total AND a.op = '<='
            -- What may be used up by 30 June may be used from 1 April on.
            THEN coalesce((SELECT (one ->> 'value')::float8 FROM jsonb_array_elements(a.steps) AS one
                           WHERE (one ->> 'on')::date >= s.through ORDER BY one ->> 'on' LIMIT 1), a.value)
            ELSE coalesce((SELECT (one ->> 'value')::float8 FROM jsonb_array_elements(a.steps) AS one
                           WHERE (one ->> 'on')::date <= s.through ORDER BY one ->> 'on' DESC LIMIT 1),
                          a.given, CASE WHEN a.is_total THEN 0 END) END AS value
    ) step ON a.pace = 'steps'
    WHERE s.through >= (SELECT first_on FROM asked_for)
), scale AS (
    SELECT CASE WHEN unit = '%%' THEN 1 WHEN top >= 1e10 THEN 1e9 WHEN top >= 1e7 THEN 1e6 WHEN top >= 1e5 THEN 1e3 ELSE 1 END AS by,
           CASE WHEN unit = '%%' THEN '' WHEN top >= 1e10 THEN %(labels)s::jsonb ->> 'billion' WHEN top >= 1e7 THEN %(labels)s::jsonb ->> 'million'
                WHEN top >= 1e5 THEN %(labels)s::jsonb ->> 'thousand' ELSE '' END || coalesce(%(units)s::jsonb ->> unit, unit) AS unit, has_past, has_asked
    FROM (SELECT max(unit) AS unit, greatest(max(abs(value)), max(abs(past)), max(abs(asked))) AS top,
                 bool_or(past IS NOT NULL) AS has_past, bool_or(asked IS NOT NULL) AS has_asked FROM line) most
)
SELECT line.bucket::timestamp AT TIME ZONE %(timezone)s AS "time",
       (%(labels)s::jsonb ->> what.name) || ' (' || scale.unit || ')' AS metric, what.value / scale.by AS value
FROM line
CROSS JOIN scale
CROSS JOIN LATERAL (VALUES ('value', line.value), ('past', line.past), ('asked', line.asked)) AS what (name, value)
WHERE CASE what.name WHEN 'past' THEN scale.has_past WHEN 'asked' THEN scale.has_asked ELSE true END
ORDER BY 1, array_position(ARRAY['value', 'past', 'asked'], what.name)

-- name: figure_tile
-- One indicator in one area: what is known, each with its word.
SELECT %(labels)s::jsonb ->> part.name AS name, part.shown,
       CASE WHEN part.name IN ('value', 'status') THEN %(colors)s::jsonb ->> s.status ELSE %(colors)s::jsonb ->> '' END AS color,
       %(pages)s || '/indicators/' || s.code || '?area=' || a.code || '&period=' || s.period AS page
FROM shown_status s
JOIN area a USING (area_id)
CROSS JOIN LATERAL (SELECT coalesce(%(units)s::jsonb ->> s.unit, s.unit) AS name) unit
CROSS JOIN LATERAL (VALUES
    ('status', %(words)s::jsonb ->> s.status),
    ('value', coalesce(amount_text(s.value, unit.name, %(language)s) || CASE WHEN s.unit = '%%' AND NOT s.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END, CASE WHEN s.hidden THEN %(labels)s::jsonb ->> 'hidden' ELSE '–' END)),
    ('period', coalesce(period_text(s.period, s.bucket, %(language)s), '–')),
    ('target', CASE WHEN s.target IS NOT NULL THEN CASE s.target_op WHEN '>=' THEN '≥ ' ELSE '≤ ' END
                    || amount_text(s.target, unit.name, %(language)s)
                    || coalesce(' · ' || day_text(s.target_on, %(language)s), '') END),
    ('expected_now', amount_text(s.expected, unit.name, %(language)s)),
    ('lag', lag_text(nullif(s.lag, 0), s.lag_in, %(language)s)),
    ('forecast', amount_text(s.forecast, unit.name, %(language)s)),
    ('needed', amount_text(s.needed_per_week, unit.name, %(language)s)),
    ('reported', CASE WHEN s.due IS NOT NULL THEN number_text(s.reported, 0, %(language)s) || '/' || number_text(s.due, 0, %(language)s) END)
) AS part (name, shown)
WHERE s.code = %(code)s AND s.area_id = ${area:sqlstring}::integer AND part.shown IS NOT NULL

-- name: indicator_area
-- One indicator in the areas right below the chosen one (of a leaf: beside it), worst first; for table and map.
WITH beside AS (
    SELECT a.* FROM area a, newest_day() AS day
    WHERE day >= a.valid_from AND day < a.valid_to AND a.parent_id = coalesce(
        (SELECT b.parent_id FROM area b, newest_day() AS today
         WHERE b.parent_id = ${area:sqlstring}::integer AND today >= b.valid_from AND today < b.valid_to LIMIT 1),
        (SELECT parent_id FROM area WHERE area_id = ${area:sqlstring}::integer))
)
SELECT CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END AS area,
       coalesce(amount_text(s.value, coalesce(%(units)s::jsonb ->> s.unit, s.unit), %(language)s)
                || CASE WHEN s.unit = '%%' AND NOT s.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END, CASE WHEN s.hidden THEN %(labels)s::jsonb ->> 'hidden' ELSE '–' END) AS value,
       coalesce(amount_text(s.expected, coalesce(%(units)s::jsonb ->> s.unit, s.unit), %(language)s), '–') AS expected,
       coalesce(lag_text(nullif(s.lag, 0), s.lag_in, %(language)s), '–') AS lag,
       %(words)s::jsonb ->> coalesce(s.status, 'no_data') AS status,
       status_rank(coalesce(s.status, 'no_data'))::float8 AS rank, a.latitude, a.longitude, a.area_id::text AS area_id
FROM beside a
LEFT JOIN shown_status s ON s.area_id = a.area_id AND s.code = %(code)s
ORDER BY rank, s.lag DESC NULLS LAST, s.value DESC NULLS LAST, area

-- name: indicator_part
-- The parts of the measure that an indicator belongs to, in the period that its total is judged by.
SELECT %(dimensions)s::jsonb ->> coalesce(nullif(i.definition ->> 'breakdown', ''), '') AS dimension,
       CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END AS indicator,
       coalesce(amount_text(s.value, coalesce(%(units)s::jsonb ->> s.unit, s.unit), %(language)s)
                || CASE WHEN s.unit = '%%' AND NOT s.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END, CASE WHEN s.hidden THEN %(labels)s::jsonb ->> 'hidden' ELSE '–' END) AS value,
       coalesce(period_text(s.period, s.bucket, %(language)s), '–') AS period,
       %(words)s::jsonb ->> coalesce(s.status, 'no_data') AS status, i.code
FROM indicator i
LEFT JOIN shown_status s ON s.code = i.code AND s.area_id = ${area:sqlstring}::integer
WHERE i.live AND (i.code = %(code)s OR i.code LIKE split_part(%(code)s, '.', 1) || '.' || split_part(%(code)s, '.', 2) || '.%%')
ORDER BY i.definition ->> 'breakdown', s.value DESC NULLS LAST, i.slot

-- name: indicator_definition
-- What an indicator is, by whom, on what grounds.
SELECT %(labels)s::jsonb ->> part.name AS name, part.shown
FROM indicator i
CROSS JOIN LATERAL (VALUES
    (1, 'code', i.code), (2, 'name', CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END),
    (3, 'unit', coalesce(%(units)s::jsonb ->> i.unit, i.unit)),
    (4, 'kind', %(kinds)s::jsonb ->> i.kind),
    (5, 'formula', nullif(i.definition ->> 'formula', '')),
    (6, 'feed', (SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END FROM feed f WHERE f.key = i.definition ->> 'feed')),
    (7, 'counted', CASE WHEN i.kind <> 'reported' THEN
        nullif(concat_ws(' | ', nullif(i.definition ->> 'value', ''), nullif(i.definition ->> 'where', '')), '') END),
    (8, 'owner', coalesce(%(owners)s::jsonb ->> split_part(i.owner, '; ', 1), i.owner)), (9, 'basis', replace(regexp_replace(i.definition ->> 'basis', '\m(set|law|target|limit): ?', '', 'g'),
                           'design:breakdown', %(labels)s::jsonb ->> 'own_breakdown')),
    (10, 'source', (SELECT string_agg(regexp_replace(t.source, '^(target|limit): ', ''), '; ') FROM target t WHERE t.code = i.code AND t.ended_at IS NULL)),
    (11, 'beyond', (SELECT %(labels)s::jsonb ->> CASE i.kind WHEN 'reported' THEN 'beyond_index' ELSE 'beyond_share' END
                    FROM shown_status s WHERE s.code = i.code AND s.unit = '%%' AND NOT s.value BETWEEN 0 AND 100 LIMIT 1)),
    (12, 'explain', %(pages)s || '/indicators/' || i.code || '?area='
                    || (SELECT a.code FROM area a WHERE a.area_id = ${area:sqlstring}::integer))
) AS part (ordinal, name, shown)
WHERE i.live AND i.code = %(code)s AND part.shown IS NOT NULL
ORDER BY part.ordinal

-- name: indicator_change
-- When the status of an indicator changed, the newest first; what stands, where nothing has changed since it was first known.
SELECT moment_text(c.changed_at, %(timezone)s, %(language)s) AS changed, coalesce(%(words)s::jsonb ->> c.before, '–') AS before,
       %(words)s::jsonb ->> c.status AS status, coalesce(period_text(c.period, c.bucket, %(language)s), '–') AS period,
       coalesce(amount_text(c.value, coalesce(%(units)s::jsonb ->> i.unit, i.unit), %(language)s)
                || CASE WHEN i.unit = '%%' AND NOT c.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END, '–') AS value,
       coalesce(amount_text(c.expected, coalesce(%(units)s::jsonb ->> i.unit, i.unit), %(language)s), '–') AS expected
FROM (SELECT changed_at, code, area_id, before, status, period, bucket, value, expected FROM shown_status_change
      UNION ALL
      SELECT since, code, area_id, NULL, status, period, bucket, value, expected FROM shown_status s
      WHERE NOT EXISTS (SELECT FROM shown_status_change k WHERE k.code = s.code AND k.area_id = s.area_id)) c
JOIN indicator i ON i.code = c.code AND i.live
WHERE c.code = %(code)s AND c.area_id = ${area:sqlstring}::integer
ORDER BY c.changed_at DESC
LIMIT 50

-- name: figure_then
-- Figures as they were known at the close of a chosen day, beside those of now, the newest period first. A figure that has
-- changed since, and of which no close kept what it was, has none: the page computes it.
WITH chosen AS (
    SELECT min(taken_at) AS taken_at FROM figure_snapshot_run
    WHERE taken_at >= (substring(${as_of:sqlstring} FROM '^\d{4}-\d\d-\d\d$')::date + 1)::timestamp AT TIME ZONE %(timezone)s
), cell AS (
    SELECT i.code, i.unit, i.slot, c.sector, c.period, c.area_id, c.bucket, c.figures[i.slot] AS now, c.updated_at
    FROM indicator i
    JOIN shown_cell c ON c.sector = i.sector AND c.area_id = ${area:sqlstring}::integer
     AND c.period = CASE ${period:sqlstring} WHEN 'total' THEN 'day' ELSE ${period:sqlstring} END
     AND c.bucket BETWEEN ($__timeFrom()::timestamptz AT TIME ZONE %(timezone)s)::date - 6
                      AND ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date
    WHERE i.live AND i.code = %(code)s
    ORDER BY c.bucket DESC LIMIT 60
), told AS (
    SELECT cell.*, coalesce(%(units)s::jsonb ->> cell.unit, cell.unit) AS shown_unit,
           CASE WHEN cell.updated_at <= chosen.taken_at THEN cell.now ELSE kept.figure END AS before
    FROM chosen CROSS JOIN cell LEFT JOIN LATERAL (
        SELECT f.figures[cell.slot] AS figure FROM shown_snapshot f
        WHERE f.sector = cell.sector AND f.period = cell.period AND f.area_id = cell.area_id AND f.bucket = cell.bucket
          AND f.taken_at <= chosen.taken_at
        ORDER BY f.taken_at DESC LIMIT 1
    ) kept ON cell.updated_at > chosen.taken_at
    WHERE chosen.taken_at IS NOT NULL
)
SELECT period_text(t.period, t.bucket, %(language)s) AS period,
       coalesce(amount_text(t.before, t.shown_unit, %(language)s), '–') AS then_known,
       coalesce(amount_text(t.now, t.shown_unit, %(language)s), '–') AS now_known,
       coalesce(change_text(t.now - t.before, t.shown_unit, %(language)s), '–') AS difference,
       %(pages)s || '/indicators/' || t.code || '?area=' || a.code || '&period=' || t.period || '&on=' || t.bucket
           || '&as_of=' || ${as_of:sqlstring} AS page
FROM told t JOIN area a USING (area_id)
ORDER BY t.bucket DESC

-- name: part_latest
-- The parts of a breakdown in the newest period that is over, largest first.
SELECT part.label || ' · ' || amount_text(s.value, coalesce(%(units)s::jsonb ->> s.unit, s.unit), %(language)s) AS part, s.value
FROM unnest(%(codes)s::text[], %(labels_of)s::text[]) WITH ORDINALITY AS part (code, label, ordinal)
JOIN shown_status s ON s.code = part.code AND s.area_id = ${area:sqlstring}::integer
WHERE s.value IS NOT NULL
ORDER BY s.value DESC, part.ordinal

-- name: area_status
-- The areas right below the chosen one (of a leaf: beside it), worst first: how many indicators have each status.
WITH beside AS (
    SELECT a.* FROM area a, newest_day() AS day
    WHERE day >= a.valid_from AND day < a.valid_to AND a.parent_id = coalesce(
        (SELECT b.parent_id FROM area b, newest_day() AS today
         WHERE b.parent_id = ${area:sqlstring}::integer AND today >= b.valid_from AND today < b.valid_to LIMIT 1),
        (SELECT parent_id FROM area WHERE area_id = ${area:sqlstring}::integer))
), count AS MATERIALIZED (
    SELECT area_id, count(*) FILTER (WHERE status = 'lagging') AS lagging, count(*) FILTER (WHERE status = 'at_risk') AS at_risk,
           count(*) FILTER (WHERE status = 'on_track') AS on_track,
           count(*) FILTER (WHERE status IN ('stale', 'incomplete', 'no_data')) AS unknown,
           count(*) FILTER (WHERE status = 'no_target') AS watched
    FROM shown_status
    WHERE area_id = ANY (ARRAY(SELECT area_id FROM beside)) AND sector = ANY (%(chosen)s::text[])
    GROUP BY area_id
)
SELECT CASE %(language)s WHEN 'en' THEN a.name_en ELSE a.name_vi END AS area,
       coalesce(number_text(c.lagging, 0, %(language)s), '–') AS lagging, coalesce(number_text(c.at_risk, 0, %(language)s), '–') AS at_risk,
       coalesce(number_text(c.on_track, 0, %(language)s), '–') AS on_track, coalesce(number_text(c.unknown, 0, %(language)s), '–') AS unknown,
       coalesce(number_text(c.watched, 0, %(language)s), '–') AS watched,
       status_rank(CASE WHEN c.lagging > 0 THEN 'lagging' WHEN c.at_risk > 0 THEN 'at_risk' WHEN c.on_track > 0 THEN 'on_track'
                        WHEN c.unknown > 0 THEN 'stale' WHEN c.watched > 0 THEN 'no_target' ELSE 'no_data' END)::float8 AS rank,
       a.latitude, a.longitude, a.area_id::text AS area_id
FROM beside a
LEFT JOIN count c USING (area_id)
ORDER BY rank, c.lagging DESC NULLS LAST, c.at_risk DESC NULLS LAST, area

-- name: area_indicator
-- The indicators of one area beside the unit above it, those that lag first; those without a target only where they are unusual.
-- What a phone shows comes first.
SELECT %(words)s::jsonb ->> s.status AS status, CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END AS indicator,
       coalesce(amount_text(s.value, unit.name, %(language)s) || CASE WHEN s.unit = '%%' AND NOT s.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END,
                CASE WHEN s.hidden THEN %(labels)s::jsonb ->> 'hidden' ELSE '–' END) AS value,
       coalesce(amount_text(above.value, unit.name, %(language)s) || CASE WHEN above.unit = '%%' AND NOT above.value BETWEEN 0 AND 100 THEN ' *' ELSE '' END,
                CASE WHEN above.hidden THEN %(labels)s::jsonb ->> 'hidden' ELSE '–' END) AS above,
       coalesce(amount_text(s.expected, unit.name, %(language)s), '–') AS expected,
       coalesce(lag_text(nullif(s.lag, 0), s.lag_in, %(language)s), '–') AS lag,
       coalesce(period_text(s.period, s.bucket, %(language)s), '–') AS period, %(sectors)s::jsonb ->> s.sector AS sector_name, s.code,
       s.sector
FROM shown_status s
JOIN indicator i ON i.code = s.code AND i.live
JOIN area a ON a.area_id = s.area_id
CROSS JOIN LATERAL (SELECT coalesce(%(units)s::jsonb ->> s.unit, s.unit) AS name) unit
LEFT JOIN shown_status above ON above.code = s.code AND above.area_id = a.parent_id
WHERE s.area_id = ${area:sqlstring}::integer AND (s.target_id IS NOT NULL OR s.unusual)
ORDER BY status_rank(s.status), s.lag DESC NULLS LAST, s.code
LIMIT 100

-- name: programme_tile
-- The targets of the digital-transformation programme: done of those that are set, as a whole and its three parts.
SELECT CASE split_part(i.code, '.', 3) WHEN 'total' THEN %(labels)s::jsonb ->> 'all_targets' ELSE
           CASE %(language)s WHEN 'en' THEN i.name_en ELSE i.name_vi END END AS name,
       coalesce(number_text(s.value, 0, %(language)s) || coalesce('/' || number_text(s.target, 0, %(language)s),
                ' · ' || amount_text(rate.value, '%%', %(language)s), ''), %(words)s::jsonb ->> 'no_data') AS shown,
       %(colors)s::jsonb ->> coalesce(s.status, 'no_data') AS color, i.code
FROM indicator i
LEFT JOIN shown_status s ON s.code = i.code AND s.area_id = ${area:sqlstring}::integer
LEFT JOIN shown_status rate
    ON rate.code = replace(i.code, 'targets_done', 'targets_rate') AND rate.area_id = ${area:sqlstring}::integer
WHERE i.live AND i.code LIKE 'dti.targets_done.%%'
ORDER BY split_part(i.code, '.', 3) <> 'total', i.slot

-- name: quality_tile
-- Correct, complete, clean, live over all feeds, of each feed on the newest day that was measured: complete by business days
-- that are over, the others by the clock's. The colour says how near to all it is.
SELECT %(measures)s::jsonb ->> word.measure AS name, coalesce(share_text(100 * m.numerator / nullif(m.denominator, 0), %(language)s), '–') AS shown,
       %(colors)s::jsonb ->> CASE WHEN m.denominator > 0 THEN CASE WHEN m.numerator / m.denominator >= 0.95 THEN 'on_track'
                                  WHEN m.numerator / m.denominator >= 0.8 THEN 'at_risk' ELSE 'lagging' END ELSE 'no_data' END AS color
-- An array, of which the planner knows the length: of a hundred rows it would compile the query first.
FROM unnest(ARRAY['correct', 'complete', 'clean', 'live']) WITH ORDINALITY AS word (measure, ordinal)
CROSS JOIN LATERAL (
    SELECT sum(newest.numerator) AS numerator, sum(newest.denominator) AS denominator
    FROM feed f
    CROSS JOIN LATERAL (
        SELECT q.numerator, q.denominator FROM quality_measure q
        WHERE q.feed = f.key AND q.measure = word.measure AND q.reporter = ''
          AND q.area_id IN (SELECT area_id FROM area WHERE level = 'province')
          AND (q.measure <> 'complete' OR q.day < (SELECT newest_day()))
        ORDER BY q.day DESC LIMIT 1
    ) newest
) m
ORDER BY word.ordinal

-- name: quality_table
-- The measures of each feed, each on the newest day that was measured, the worst feed first. Superseded: revisions that came
-- after a newer one and never counted, of what was accepted.
SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed,
       coalesce(share_text(m.correct, %(language)s), '–') AS correct, coalesce(share_text(m.complete, %(language)s), '–') AS complete,
       coalesce(share_text(m.clean, %(language)s), '–') AS clean, coalesce(share_text(m.live, %(language)s), '–') AS live,
       coalesce(number_text(m.superseded, 0, %(language)s) || coalesce(' · ' || share_text(m.superseded_share, %(language)s), ''), '–')
           AS superseded,
       coalesce(day_text(m.complete_on, %(language)s), '–') AS complete_on, coalesce(day_text(m.measured_on, %(language)s), '–') AS measured_on,
       f.key
FROM feed f
LEFT JOIN LATERAL (
    SELECT max(share) FILTER (WHERE measure = 'correct') AS correct, max(share) FILTER (WHERE measure = 'complete') AS complete,
           max(share) FILTER (WHERE measure = 'clean') AS clean, max(share) FILTER (WHERE measure = 'live') AS live,
           max(numerator) FILTER (WHERE measure = 'superseded') AS superseded, max(share) FILTER (WHERE measure = 'superseded') AS superseded_share,
           max(day) FILTER (WHERE measure = 'complete') AS complete_on, max(day) FILTER (WHERE measure <> 'complete') AS measured_on
    FROM unnest(ARRAY['correct', 'complete', 'clean', 'live', 'superseded']) AS asked (name)
    CROSS JOIN LATERAL (
        SELECT q.measure, q.day, q.share, q.numerator FROM quality_measure q
        WHERE q.feed = f.key AND q.measure = asked.name AND q.reporter = '' AND q.area_id IN (SELECT area_id FROM area WHERE level = 'province')
          AND (q.measure <> 'complete' OR q.day < (SELECT newest_day()))
        ORDER BY q.day DESC LIMIT 1
    ) newest
) m ON true
ORDER BY least(m.complete, m.clean, m.live, m.correct) NULLS FIRST, feed

-- name: quality_day
-- Feed by day, for the heat map; the chosen measure in percent. Of a day that is not over it is not said who is missing. All but
-- that go by the clock's day: of a province that lives in the past, the last thirty are shown too. Of a range of more than 120
-- days, seven are a cell: a phone has no room for more, and Grafana refuses to draw them.
WITH named AS MATERIALIZED (
    -- Grafana cuts what is longer, at its beginning.
    SELECT key, CASE WHEN length(name) > 22 THEN rtrim(left(name, 21)) || '…' ELSE name END AS name
    FROM (SELECT key, CASE %(language)s WHEN 'en' THEN name_en ELSE name_vi END AS name FROM feed) f
), shown AS MATERIALIZED (
    SELECT CASE ${measure:sqlstring} WHEN 'complete' THEN chosen.first ELSE least(chosen.first, current_date - 30) END AS first,
           CASE ${measure:sqlstring} WHEN 'complete' THEN least(chosen.last, newest_day() - 1) ELSE current_date + 1 END AS last,
           CASE WHEN chosen.last - chosen.first > 120 THEN 7 ELSE 1 END AS days
    FROM (SELECT ($__timeFrom()::timestamptz AT TIME ZONE %(timezone)s)::date AS first,
                 ($__timeTo()::timestamptz AT TIME ZONE %(timezone)s)::date AS last) chosen
)
SELECT cell.day::timestamp AT TIME ZONE %(timezone)s AS "time", cell.name AS metric, round(cell.share)::float8 AS share
FROM (
    SELECT f.name, shown.first + q.day / shown.days * shown.days AS day, 100 * sum(q.numerator) / nullif(sum(q.denominator), 0) AS share
    FROM named f
    CROSS JOIN shown
    CROSS JOIN (SELECT area_id FROM area WHERE level = 'province') province
    CROSS JOIN LATERAL (
        SELECT m.day - shown.first AS day, m.numerator, m.denominator FROM quality_measure m
        WHERE m.area_id = province.area_id AND m.feed = f.key AND m.measure = ${measure:sqlstring}
          AND m.day BETWEEN shown.first AND shown.last AND m.reporter = '' AND m.share IS NOT NULL
        OFFSET 0
    ) q
    GROUP BY 1, 2
) cell
ORDER BY 1, 2

-- name: roll_call
-- Who has not reported, by name, on the newest day that is over and was measured.
SELECT coalesce(missing.value ->> 'name', missing.value ->> 'code', missing.value #>> '{}') AS reporter,
       CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed, day_text(q.day, %(language)s) AS day,
       number_text(q.numerator, 0, %(language)s) || '/' || number_text(q.denominator, 0, %(language)s) AS reported
FROM feed f
CROSS JOIN LATERAL (
    SELECT max(n.day) AS day FROM quality_measure n
    WHERE n.feed = f.key AND n.measure = 'complete' AND n.day < (SELECT newest_day())
) newest
JOIN quality_measure q ON q.feed = f.key AND q.measure = 'complete' AND q.day = newest.day AND q.reporter = ''
JOIN area a ON a.area_id = q.area_id AND a.level = 'province'
CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(q.detail -> 'missing') WHEN 'array' THEN q.detail -> 'missing' ELSE '[]' END)
    AS missing (value)
ORDER BY q.share, feed, reporter
LIMIT 500

-- name: incident_tile
-- How many incidents are open, by severity, and how many nobody has taken on.
SELECT %(labels)s::jsonb ->> part.name AS name, number_text(part.n, 0, %(language)s) AS shown,
       CASE WHEN part.n = 0 THEN %(colors)s::jsonb ->> '' ELSE %(colors)s::jsonb ->> part.status END AS color
FROM (SELECT count(*) FILTER (WHERE severity = 'critical') AS critical, count(*) FILTER (WHERE severity = 'warning') AS warning,
             count(*) FILTER (WHERE acknowledged_at IS NULL) AS waiting
      FROM incident WHERE closed_at IS NULL) n
CROSS JOIN LATERAL (VALUES ('critical', n.critical, 'lagging'), ('warning', n.warning, 'at_risk'), ('waiting', n.waiting, 'no_target'))
    AS part (name, n, status)

-- name: incident_open_table
-- What is open, the gravest first and of these the oldest. How long it has been known is told by the clock, since when it has
-- been so by what the data say.
SELECT %(severities)s::jsonb ->> i.severity AS severity, CASE %(language)s WHEN 'en' THEN i.title_en ELSE i.title_vi END AS title,
       CASE %(language)s WHEN 'en' THEN i.summary_en ELSE i.summary_vi END AS summary,
       moment_text(i.since, %(timezone)s, %(language)s) AS since, duration_text(now() - i.opened_at, %(language)s) AS lasts,
       coalesce(%(owners)s::jsonb ->> split_part(i.owner, '; ', 1), split_part(i.owner, '; ', 1)) AS owner, number_text(i.step + 1, 0, %(language)s) AS step,
       coalesce(nullif(concat_ws(' · ', coalesce(%(posts)s::jsonb ->> i.acknowledged_by, i.acknowledged_by), moment_text(i.acknowledged_at, %(timezone)s, %(language)s),
           CASE WHEN i.silenced_until > now() THEN (%(labels)s::jsonb ->> 'silenced_until')
                || moment_text(i.silenced_until, %(timezone)s, %(language)s) END), ''), '–') AS acknowledged,
       number_text(i.indicators, 0, %(language)s) AS indicators, number_text(i.areas, 0, %(language)s) AS areas,
       i.incident_id::text AS incident
FROM incident i
WHERE i.closed_at IS NULL
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], i.severity), i.since
LIMIT 200

-- name: incident_closed_table
SELECT CASE %(language)s WHEN 'en' THEN i.title_en ELSE i.title_vi END AS title,
       moment_text(i.since, %(timezone)s, %(language)s) AS since, moment_text(i.closed_at, %(timezone)s, %(language)s) AS ended,
       duration_text(i.closed_at - i.opened_at, %(language)s) AS lasts, coalesce(%(owners)s::jsonb ->> split_part(i.owner, '; ', 1), split_part(i.owner, '; ', 1)) AS owner,
       coalesce(%(posts)s::jsonb ->> i.acknowledged_by, i.acknowledged_by, '–') AS acknowledged
FROM incident i
WHERE i.closed_at IS NOT NULL
ORDER BY i.closed_at DESC
LIMIT 100

-- name: incident_change_table
SELECT moment_text(c.changed_at, %(timezone)s, %(language)s) AS changed,
       CASE %(language)s WHEN 'en' THEN i.title_en ELSE i.title_vi END AS title, %(changes)s::jsonb ->> c.what AS what,
       coalesce(%(posts)s::jsonb ->> c.by, nullif(c.by, ''), '–') AS by,
       coalesce(%(posts)s::jsonb ->> c.note, nullif(c.note, ''), '–') AS note
FROM incident_change c
JOIN incident i USING (incident_id)
WHERE c.what <> 'changed' -- other figures of the same cause, every minute
ORDER BY c.change_id DESC
LIMIT 100

-- name: annotation_incident
-- Begin and end of incidents: of the indicator that the board shows, else of its sectors.
SELECT marked.at AS "time", (%(labels)s::jsonb ->> marked.what) || CASE %(language)s WHEN 'en' THEN i.title_en ELSE i.title_vi END AS text
FROM incident i
CROSS JOIN LATERAL (VALUES ('begun', i.since), ('ended', i.closed_at)) AS marked (what, at)
WHERE marked.at BETWEEN $__timeFrom()::timestamptz AND $__timeTo()::timestamptz
  AND CASE %(code)s WHEN '' THEN i.sector = ANY (%(chosen)s::text[])
                    ELSE EXISTS (SELECT FROM incident_touch t WHERE t.incident_id = i.incident_id AND t.code = %(code)s) END
ORDER BY marked.at DESC
LIMIT 100

-- name: annotation_reform
-- Days on which units of the province ended: what comes after is counted in others.
SELECT a.valid_to::timestamp AT TIME ZONE %(timezone)s AS "time", (%(labels)s::jsonb ->> 'reform') || number_text(count(*), 0, %(language)s) AS text
FROM area a
WHERE a.valid_to <> 'infinity'
GROUP BY a.valid_to

-- name: annotation_rebuild
SELECT created_at AS "time", (%(labels)s::jsonb ->> 'rebuild') || string_agg(code, ', ' ORDER BY code) AS text
FROM indicator
WHERE version > 1 AND live AND created_at BETWEEN $__timeFrom()::timestamptz AND $__timeTo()::timestamptz
  AND CASE %(code)s WHEN '' THEN sector = ANY (%(chosen)s::text[]) ELSE code = %(code)s END
GROUP BY created_at
LIMIT 100

-- name: annotation_correction
-- Hours in which more than a tenth of what came in corrected something older.
SELECT time_bucket('1 hour', b.committed_at) AS "time", (%(labels)s::jsonb ->> 'correction') || number_text(sum(b.corrected), 0, %(language)s) AS text
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE b.committed_at BETWEEN $__timeFrom()::timestamptz AND $__timeTo()::timestamptz AND f.key IN (SELECT definition ->> 'feed' FROM indicator WHERE live AND sector = ANY (%(chosen)s::text[]))
GROUP BY 1
HAVING sum(b.corrected) > 0.1 * sum(b.consumed)
LIMIT 100

-- name: live_tile
-- Events of the clock's day, which the quality job counts every minute; of the last minute; and how long ago the newest came.
SELECT %(labels)s::jsonb ->> part.name AS name, coalesce(part.shown, '–') AS shown, %(colors)s::jsonb ->> '' AS color
FROM (SELECT sum(q.denominator) AS day FROM quality_measure q JOIN feed f ON f.key = q.feed
      WHERE q.day = (now() AT TIME ZONE %(timezone)s)::date AND q.measure = 'clean' AND q.reporter = ''
        AND q.area_id IN (SELECT area_id FROM area WHERE level = 'province')) counted
CROSS JOIN (SELECT sum(consumed) AS minute FROM stream_batch WHERE committed_at > now() - interval '1 minute') n
CROSS JOIN (SELECT max(newest) AS newest FROM feed f CROSS JOIN LATERAL (
                SELECT committed_at AS newest FROM stream_batch b WHERE b.feed_id = f.feed_id ORDER BY committed_at DESC LIMIT 1) l) last
CROSS JOIN LATERAL (VALUES ('day_events', number_text(counted.day, 0, %(language)s)),
                           ('minute_events', number_text(coalesce(n.minute, 0), 0, %(language)s)),
                           ('newest_event', duration_text(now() - last.newest, %(language)s))) AS part (name, shown)

-- name: feed_freshness
-- Age of each feed's newest batch beside its cadence, the most overdue first; a feed that never sent anything leads.
SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed,
       coalesce(%(freshness)s::jsonb ->> CASE WHEN newest.committed_at IS NULL THEN 'never'
                                              WHEN now() - newest.committed_at > f.cadence THEN 'silent' ELSE 'live' END) AS status,
       coalesce(moment_text(newest.committed_at, %(timezone)s, %(language)s), '–') AS committed,
       coalesce(duration_text(now() - newest.committed_at, %(language)s), '–') AS age, duration_text(f.cadence, %(language)s) AS cadence
FROM feed f
LEFT JOIN LATERAL (
    SELECT committed_at FROM stream_batch b WHERE b.feed_id = f.feed_id ORDER BY committed_at DESC LIMIT 1
) newest ON true
ORDER BY (now() - newest.committed_at) / extract(epoch FROM f.cadence) DESC NULLS FIRST, feed

-- name: event_tile
SELECT %(labels)s::jsonb ->> part.name AS name, number_text(part.n, 0, %(language)s) AS shown, %(colors)s::jsonb ->> '' AS color
FROM (SELECT coalesce(sum(b.consumed), 0) AS received, coalesce(sum(b.accepted), 0) AS accepted, coalesce(sum(b.rejected), 0) AS rejected,
             coalesce(sum(b.duplicate), 0) AS duplicate, coalesce(sum(b.corrected), 0) AS corrected
      FROM stream_batch b JOIN feed f USING (feed_id)
      WHERE $__timeFilter(b.committed_at) AND ('*' IN (${feed:sqlstring}) OR f.key IN (${feed:sqlstring}))) n
CROSS JOIN LATERAL (VALUES ('received', n.received), ('accepted', n.accepted), ('rejected', n.rejected), ('duplicate', n.duplicate),
                           ('corrected', n.corrected)) AS part (name, n)

-- name: event_rate
-- Events a minute.
SELECT $__timeGroupAlias(b.committed_at, $__interval),
       sum(b.accepted) * 60000.0 / $__interval_ms AS accepted, sum(b.rejected) * 60000.0 / $__interval_ms AS rejected,
       sum(b.duplicate) * 60000.0 / $__interval_ms AS duplicate, sum(b.corrected) * 60000.0 / $__interval_ms AS corrected
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE $__timeFilter(b.committed_at) AND ('*' IN (${feed:sqlstring}) OR f.key IN (${feed:sqlstring}))
GROUP BY 1
ORDER BY 1

-- name: feed_table
SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed,
       number_text(sum(b.consumed), 0, %(language)s) AS received, number_text(sum(b.accepted), 0, %(language)s) AS accepted,
       number_text(sum(b.rejected), 0, %(language)s) AS rejected, number_text(sum(b.duplicate), 0, %(language)s) AS duplicate,
       number_text(sum(b.corrected), 0, %(language)s) AS corrected, number_text(sum(b.voided), 0, %(language)s) AS voided,
       number_text(sum(b.superseded), 0, %(language)s) AS superseded,
       amount_text(100.0 * sum(b.accepted) / nullif(sum(b.consumed), 0), '%%', %(language)s) AS clean
FROM stream_batch b
JOIN feed f USING (feed_id)
WHERE $__timeFilter(b.committed_at) AND ('*' IN (${feed:sqlstring}) OR f.key IN (${feed:sqlstring}))
GROUP BY f.feed_id
ORDER BY sum(b.rejected)::float8 / nullif(sum(b.consumed), 0) DESC NULLS LAST, sum(b.consumed) DESC

-- name: latency_series
-- Milliseconds from Kafka's append to the commit, of the oldest event of each batch: an upper bound for every event in it.
SELECT "time", 1000 * part[1] AS p50, 1000 * part[2] AS p95, 1000 * part[3] AS p99
FROM (SELECT $__timeGroupAlias(b.committed_at, $__interval),
             percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM b.committed_at - b.oldest_received_at)) AS part
      FROM stream_batch b
      JOIN feed f USING (feed_id)
      WHERE $__timeFilter(b.committed_at) AND ('*' IN (${feed:sqlstring}) OR f.key IN (${feed:sqlstring}))
      GROUP BY 1) step
ORDER BY 1

-- name: rejection_rule
-- Counted first; the newest example is looked up for each cause alone.
SELECT CASE %(language)s WHEN 'en' THEN f.name_en ELSE f.name_vi END AS feed, number_text(cause.events, 0, %(language)s) AS events,
       example.reasons -> 0 ->> CASE %(language)s WHEN 'en' THEN 'message_en' ELSE 'message_vi' END AS example,
       moment_text(cause.newest, %(timezone)s, %(language)s) AS newest, cause.rule
FROM (SELECT r.feed_id, r.rule, count(*) AS events, max(r.recorded_at) AS newest
      FROM rejected_event r JOIN feed USING (feed_id)
      WHERE $__timeFilter(r.recorded_at) AND ('*' IN (${feed:sqlstring}) OR feed.key IN (${feed:sqlstring}))
      GROUP BY 1, 2
      ORDER BY events DESC
      LIMIT 200) cause
JOIN feed f USING (feed_id)
CROSS JOIN LATERAL (
    SELECT reasons FROM rejected_event r
    WHERE r.feed_id = cause.feed_id AND r.rule = cause.rule AND r.recorded_at = cause.newest LIMIT 1
) example
ORDER BY cause.events DESC, feed, cause.rule

-- name: backlog_tile
-- What waits for the roll-up and for the dead-letter topic (counted up to 100,000), what was lost, and when the jobs that keep
-- statuses current last ran.
SELECT %(labels)s::jsonb ->> part.name AS name, part.shown, %(colors)s::jsonb ->> part.status AS color
FROM (SELECT count(*) AS n, now() - min(appended_at) AS age FROM (SELECT appended_at FROM measure_delta LIMIT 100000) w) delta
CROSS JOIN (SELECT count(*) AS n, now() - min(recorded_at) AS age
            FROM (SELECT recorded_at FROM rejected_event WHERE relayed_at IS NULL ORDER BY recorded_at LIMIT 100000) w) relay
CROSS JOIN (SELECT coalesce(sum(to_offset - from_offset), 0) AS n FROM stream_gap WHERE kind = 'deleted') gap
CROSS JOIN (SELECT now() - max(finished_at) AS age FROM scheduler_job) job
CROSS JOIN LATERAL (VALUES
    ('pending_delta', number_text(delta.n, 0, %(language)s) || coalesce(' · ' || duration_text(delta.age, %(language)s), ''),
     CASE WHEN delta.age > interval '1 minute' THEN 'lagging' WHEN delta.age > interval '10 seconds' THEN 'at_risk' ELSE 'on_track' END),
    ('pending_relay', number_text(relay.n, 0, %(language)s) || coalesce(' · ' || duration_text(relay.age, %(language)s), ''),
     CASE WHEN relay.age > interval '15 minutes' THEN 'at_risk' ELSE 'on_track' END),
    ('lost', number_text(gap.n, 0, %(language)s), CASE WHEN gap.n > 0 THEN 'lagging' ELSE 'on_track' END),
    ('scheduler', coalesce(duration_text(job.age, %(language)s), '–'),
     CASE WHEN job.age < interval '5 minutes' THEN 'on_track' WHEN job.age IS NULL THEN 'no_data' ELSE 'lagging' END)
) AS part (name, shown, status)

-- name: position_table
SELECT topic, partition::text AS partition, number_text(next_offset, 0, %(language)s) AS next_offset,
       duration_text(now() - updated_at, %(language)s) AS age
FROM stream_position
ORDER BY updated_at, topic, partition

-- name: gap_table
SELECT moment_text(found_at, %(timezone)s, %(language)s) AS found, topic, partition::text AS partition,
       number_text(from_offset, 0, %(language)s) AS from_offset, number_text(to_offset - from_offset, 0, %(language)s) AS lost
FROM stream_gap
WHERE kind <> 'skipped'
ORDER BY found_at DESC
LIMIT 100
