-- Statuses and quality of the data as they were at the moment that `ioc.as_of` names, under the names of the tables.

-- The status is that of the last change; value, expected, lag and settlement are those of that change. What a status said
-- beside these (forecast, target, cause) is not kept.
CREATE VIEW as_of.indicator_status AS
SELECT i.code, a.area_id, i.sector, i.definition ->> 'unit' AS unit,
       btrim(split_part(i.definition ->> 'owner', ';', 1)) AS owner, c.status, c.changed_at AS since, c.period, c.bucket,
       NULL::date AS through, c.value, NULL::integer AS target_id, NULL::text AS target_op,
       NULL::double precision AS target, NULL::date AS target_on, NULL::text AS pace, c.expected, c.lag,
       CASE WHEN c.lag IS NULL THEN NULL WHEN i.definition ->> 'unit' = '%' THEN 'point' ELSE '%' END AS lag_in,
       NULL::double precision AS lag_days, NULL::double precision AS forecast,
       NULL::double precision AS forecast_low, NULL::double precision AS forecast_high,
       NULL::double precision AS needed_per_week, c.unusual, NULL::double precision AS unusual_score,
       NULL::double precision AS usual, c.settlement, c.reported, c.due, NULL::text AS cause,
       c.changed_at AS computed_at
FROM as_of.indicator i CROSS JOIN public.area a CROSS JOIN LATERAL (
    SELECT h.* FROM public.indicator_status_change h
    WHERE h.code = i.code AND h.area_id = a.area_id AND h.changed_at <= as_of.moment()
    ORDER BY h.changed_at DESC LIMIT 1
) c
WHERE i.live;

-- Quality is kept at the close of each day. Of a moment it is that of the close that ends its day where the moment is the
-- day's end (the close is taken some minutes after midnight), and else of the last close before it. Rows that have not
-- been measured again since then are as they were; of single reporters there is nothing else.
CREATE VIEW as_of.quality_measure AS
WITH kept AS (
    SELECT coalesce(min(taken_at) FILTER (WHERE taken_at >= as_of.moment()
                                            AND taken_at < as_of.moment() + interval '15 minutes'),
                    max(taken_at) FILTER (WHERE taken_at < as_of.moment())) AS taken_at
    FROM public.figure_snapshot_run
)
SELECT q.day, q.measure, q.feed, q.sector, q.reporter, q.area_id, q.numerator, q.denominator, q.share, q.detail,
       q.measured_at
FROM kept CROSS JOIN public.quality_measure q WHERE q.measured_at <= coalesce(kept.taken_at, as_of.moment())
UNION ALL
SELECT q.day, q.measure, q.feed, q.sector, q.reporter, q.area_id, s.numerator, s.denominator,
       100 * s.numerator / nullif(s.denominator, 0), '{}', s.taken_at
FROM kept CROSS JOIN public.quality_measure q CROSS JOIN LATERAL (
    SELECT n.numerator, n.denominator, n.taken_at FROM public.quality_snapshot n
    WHERE n.day = q.day AND n.measure = q.measure AND n.feed = q.feed AND n.sector = q.sector AND n.area_id = q.area_id
      AND n.taken_at <= kept.taken_at
    ORDER BY n.taken_at DESC LIMIT 1
) s
WHERE q.measured_at > kept.taken_at AND q.reporter = '';

-- Boards show figures as they were known at the close of a day.
GRANT SELECT ON figure_snapshot, figure_snapshot_run TO {grafana};
