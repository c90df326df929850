-- Figures, money, periods, times and durations as people of the province write them; every reader gets the same text,
-- whatever browser shows it. `language` is 'vi' or 'en'. No value gives no text.

-- 11080.04 -> '11.080,04' (vi), '11,080.04' (en); at most `decimals` digits after the comma, zeros at the end dropped.
CREATE FUNCTION number_text(value double precision, decimals integer, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE language WHEN 'vi' THEN translate(plain, ',.', '.,') ELSE plain END
    FROM (SELECT CASE WHEN decimals > 0 THEN rtrim(rtrim(shown, '0'), '.') ELSE shown END AS plain
          FROM (SELECT to_char(round(value::numeric, decimals),
                               'FM999,999,999,999,999,999,990' || CASE WHEN decimals > 0 THEN '.' ELSE '' END
                               || repeat('0', decimals)) AS shown
                WHERE value NOT IN ('NaN', 'Infinity', '-Infinity')) rounded) text
$$;

-- With its unit: 39.5, '%' -> '39,5 %' (en '39.5%'); 3.19e9, 'đồng' -> '3,19 tỷ đồng' ('3.19 billion đồng'). A share that
-- only rounds to 0 or 100 shows a second digit: 99,97 % is not all.
CREATE FUNCTION amount_text(value double precision, unit text, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN unit = '%' THEN number_text(value, CASE WHEN round(value::numeric, 1) IN (0, 100) THEN 2 ELSE 1 END, language)
                             || CASE language WHEN 'vi' THEN ' %' ELSE '%' END
        WHEN split_part(unit, '/', 1) = 'đồng' AND abs(value) >= 999995000
            THEN number_text(value / 1e9, 2, language) || CASE language WHEN 'vi' THEN ' tỷ ' ELSE ' billion ' END || unit
        WHEN split_part(unit, '/', 1) = 'đồng' AND abs(value) >= 1e6
            THEN number_text(value / 1e6, 2, language) || CASE language WHEN 'vi' THEN ' triệu ' ELSE ' million ' END || unit
        WHEN split_part(unit, '/', 1) = 'đồng' THEN number_text(value, 0, language) || ' ' || unit
        ELSE number_text(value, CASE WHEN abs(value) < 0.1 THEN 4 ELSE 2 END, language) || rtrim(' ' || unit)
    END
    WHERE value NOT IN ('NaN', 'Infinity', '-Infinity')
$$;

-- A difference, with its sign; of percentages in points: 1.5, '%' -> '+1,5 điểm %'.
CREATE FUNCTION change_text(difference double precision, unit text, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN difference > 0 THEN '+' ELSE '' END
        || CASE WHEN unit = '%' THEN number_text(difference, 1, language)
                                     || CASE language WHEN 'vi' THEN ' điểm %' ELSE ' points' END
                ELSE amount_text(difference, unit, language) END
    WHERE difference NOT IN ('NaN', 'Infinity', '-Infinity')
$$;

CREATE FUNCTION day_text(day date, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_char(day::timestamp, CASE language WHEN 'vi' THEN 'DD/MM/YYYY' ELSE 'FMDD Mon YYYY' END);

-- period: day, week (from Monday), month, quarter or year; bucket: its first day.
CREATE FUNCTION period_text(period text, bucket date, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE period
    WHEN 'day' THEN CASE language WHEN 'vi' THEN 'ngày ' ELSE '' END || day_text(bucket, language)
    WHEN 'week' THEN CASE language WHEN 'vi' THEN 'tuần ' || to_char(bucket::timestamp, 'DD/MM') ELSE 'week of '
                     || to_char(bucket::timestamp, 'FMDD Mon') END || '–' || day_text(bucket + 6, language)
    WHEN 'month' THEN to_char(bucket::timestamp, CASE language WHEN 'vi' THEN '"tháng "MM/YYYY' ELSE 'FMMonth YYYY' END)
    WHEN 'quarter' THEN CASE language WHEN 'vi' THEN 'quý ' || (ARRAY['I', 'II', 'III', 'IV'])[extract(quarter FROM bucket)::int]
                        || '/' ELSE 'Q' || extract(quarter FROM bucket) || ' ' END || extract(year FROM bucket)
    WHEN 'year' THEN CASE language WHEN 'vi' THEN 'năm ' ELSE '' END || extract(year FROM bucket)
END;

CREATE FUNCTION moment_text(moment timestamptz, zone text, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE zone, 'HH24:MI ') || day_text((moment AT TIME ZONE zone)::date, language);

-- The two largest parts: '2 ngày 3 giờ', '15 phút'; under a minute in seconds.
CREATE FUNCTION duration_text(length interval, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN s >= 86400 THEN s / 86400 || CASE language WHEN 'vi' THEN ' ngày' ELSE ' d' END
             || CASE WHEN s % 86400 < 3600 THEN '' ELSE ' ' || s % 86400 / 3600 || CASE language WHEN 'vi' THEN ' giờ' ELSE ' h' END END
        WHEN s >= 3600 THEN s / 3600 || CASE language WHEN 'vi' THEN ' giờ' ELSE ' h' END
             || CASE WHEN s % 3600 < 60 THEN '' ELSE ' ' || s % 3600 / 60 || CASE language WHEN 'vi' THEN ' phút' ELSE ' min' END END
        WHEN s >= 60 THEN s / 60 || CASE language WHEN 'vi' THEN ' phút' ELSE ' min' END
        ELSE s || CASE language WHEN 'vi' THEN ' giây' ELSE ' s' END END
    FROM (SELECT greatest(0, extract(epoch FROM length))::bigint AS s WHERE length IS NOT NULL) seconds
$$;

-- How far behind: points where the figure is a percentage.
CREATE FUNCTION lag_text(lag double precision, lag_in text, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN number_text(lag, 1, language) || CASE WHEN lag_in = 'point' THEN CASE language WHEN 'vi' THEN ' điểm %' ELSE ' points' END
                                             WHEN language = 'vi' THEN ' %' ELSE '%' END;

CREATE FUNCTION share_text(share double precision, language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN amount_text(share, '%', language);

-- Worst first. What is not known comes after what is known to be bad, and before what is well.
CREATE FUNCTION status_rank(status text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_position(ARRAY['lagging', 'at_risk', 'stale', 'incomplete', 'no_data', 'on_track', 'no_target'], status);

CREATE FUNCTION period_step(period text) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE period WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || period)::interval END;

-- What a period is compared with: the period before, but of a day the same day of the week before.
CREATE FUNCTION period_before(period text, bucket date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (bucket - CASE period WHEN 'day' THEN interval '7 days' ELSE period_step(period) END)::date;

-- The newest business day that there are figures of: today, or the last day of a simulation.
CREATE FUNCTION newest_day() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT bucket FROM indicator_cell WHERE period = 'day' AND bucket <= current_date + 1 ORDER BY bucket DESC LIMIT 1
$$;

-- Whoever may see a board may send any SQL through its data source, so Grafana has a role of its own: it reads figures,
-- statuses, and what the pipeline tells of itself; no record, no payload, no address, nothing of a person.
GRANT USAGE ON SCHEMA public TO {grafana};
GRANT SELECT ON profile, area, feed, indicator, indicator_cell, indicator_value, indicator_status, indicator_status_change,
                target, quality_measure, incident_touch, incident_change, scheduler_job,
                stream_batch, stream_position, stream_gap TO {grafana};
GRANT SELECT ON incident TO {grafana};
GRANT SELECT (feed_id, appended_at) ON measure_delta TO {grafana};
GRANT SELECT (recorded_at, feed_id, rule, reasons, relayed_at) ON rejected_event TO {grafana};
