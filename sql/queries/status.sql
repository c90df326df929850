-- Where indicators stand: what the scheduler reads and writes, and what API and command line show.

-- name: select_targets
SELECT t.target_id, t.code, t.op, t.value, t.due_on, t.source, coalesce(a.code, '') AS area, t.area_id, t.year,
       t.baseline, t.baseline_on, t.pace, t.steps, t.origin
FROM target t LEFT JOIN area a USING (area_id)
WHERE t.ended_at IS NULL
ORDER BY t.code, t.due_on, t.target_id

-- name: insert_target
INSERT INTO target (code, area_id, year, op, value, due_on, baseline, baseline_on, pace, steps, source, origin, set_by)
VALUES (%(code)s, %(area_id)s, %(year)s, %(op)s, %(value)s, %(due_on)s, %(baseline)s, %(baseline_on)s, %(pace)s,
        %(steps)s, %(source)s, %(origin)s, %(set_by)s)
RETURNING target_id

-- name: end_targets
UPDATE target SET ended_at = now() WHERE target_id = ANY (%s) AND ended_at IS NULL

-- name: clear_holidays
DELETE FROM holiday

-- name: copy_holidays
COPY holiday (day, worked, name_vi, name_en, source) FROM STDIN

-- name: clear_deadlines
DELETE FROM report_deadline

-- name: copy_deadlines
COPY report_deadline (feed, cadence, reporter, duty, days, working, due_at, basis) FROM STDIN

-- name: select_data_day
-- The newest business day that anything was counted on; ends that reports foretell are none.
SELECT max(day) FROM open_day JOIN feed f USING (feed_id)
WHERE day <= %(today)s AND f.key <> 'report.value'

-- name: select_root_figures
-- Newest first: the province's figures of the last periods.
SELECT bucket, figures FROM indicator_cell
WHERE sector = %(sector)s AND period = %(period)s AND area_id = %(root)s AND bucket >= %(since)s AND bucket <= %(until)s
ORDER BY bucket DESC

-- name: select_figures
SELECT bucket, area_id, figures FROM indicator_cell
WHERE sector = %(sector)s AND period = %(period)s AND area_id = ANY (%(areas)s) AND bucket = ANY (%(buckets)s)

-- name: select_sums
SELECT c.area_id, c.sums[%(slot)s] AS amount FROM measure_cell c JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND c.period = %(period)s AND c.area_id = ANY (%(areas)s) AND c.bucket = %(bucket)s

-- name: select_first_known
-- By area, the first period that has a figure of one slot.
SELECT w.area_id, first.bucket, first.value
FROM unnest(%(areas)s::int[]) AS w (area_id)
CROSS JOIN LATERAL (
    SELECT bucket, figures[%(slot)s] AS value FROM indicator_cell
    WHERE sector = %(sector)s AND period = %(period)s AND area_id = w.area_id AND figures[%(slot)s] IS NOT NULL
    ORDER BY bucket LIMIT 1
) first

-- name: select_year_curve
-- By area, what a slot's days of a year add up to by a day of it, and by the day that a target is due on.
SELECT c.area_id, sum(c.figures[%(slot)s]) FILTER (WHERE c.bucket <= %(through)s) AS reached,
       sum(c.figures[%(slot)s]) FILTER (WHERE c.bucket <= %(due)s) AS whole, count(*) AS days
FROM indicator_cell c
WHERE c.sector = %(sector)s AND c.period = 'day' AND c.area_id = ANY (%(areas)s)
  AND c.bucket >= %(start)s AND c.bucket <= %(end)s
GROUP BY c.area_id

-- name: select_levels_at
-- By area, a slot's level on three days: the median of the periods that ended in the days before. One wild day moves nothing.
SELECT w.area_id, three.levels[1], three.levels[2], three.levels[3]
FROM unnest(%(areas)s::int[], %(starts)s::date[]) AS w (area_id, start)
CROSS JOIN LATERAL (
    SELECT array_agg(level.value ORDER BY asked.ordinal) AS levels
    FROM unnest(ARRAY[w.start, %(through)s::date, %(due)s::date]) WITH ORDINALITY AS asked (day, ordinal)
    CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c.figures[%(slot)s]) AS value
        FROM indicator_cell c
        WHERE c.sector = %(sector)s AND c.period = %(period)s AND c.area_id = w.area_id
          AND c.bucket > asked.day - 2 * %(days)s::int AND c.bucket <= asked.day
          AND (c.bucket + period_step(c.period))::date - 1 BETWEEN asked.day - %(days)s::int + 1 AND asked.day
          AND c.figures[%(slot)s] IS NOT NULL
    ) level
) three
WHERE array_position(three.levels, NULL) IS NULL

-- name: select_last_reports
-- Of each indicator that agencies report: the newest period that was reported, of whatever area, and by whom.
SELECT DISTINCT ON (indicator) indicator, period_start, reporter FROM report_value
WHERE period_start <= %(today)s
ORDER BY indicator, period_start DESC, recorded_at DESC

-- name: select_statuses
SELECT code, area_id, status, since, period, bucket, through, value, target_id, expected, lag, lag_days, forecast,
       forecast_low, forecast_high, needed_per_week, unusual, settlement, reported, due, cause
FROM indicator_status

-- name: create_staging
-- Without the columns' NOT NULL: where rows are known, only the columns that have moved are staged.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_status ON COMMIT DELETE ROWS AS SELECT * FROM indicator_status WITH NO DATA

-- name: copy_staged
COPY staged_status ({columns}) FROM STDIN (FORMAT csv)

-- name: merge_staged
INSERT INTO indicator_status AS s ({columns})
SELECT {columns} FROM staged_status ORDER BY code, area_id
ON CONFLICT (code, area_id) DO UPDATE SET ({columns}) = ({excluded})

-- name: expect_memory
-- The table is in memory: some thousand rows are found by its index, not by reading all of it.
SET LOCAL random_page_cost = 1.1

-- name: update_staged
UPDATE indicator_status s SET {moves} FROM staged_status t WHERE s.code = t.code AND s.area_id = t.area_id

-- name: clear_staging
TRUNCATE staged_status

-- name: copy_changes
COPY indicator_status_change (changed_at, code, area_id, before, status, period, bucket, value, expected, lag,
                              settlement, reported, due, unusual) FROM STDIN (FORMAT csv)

-- name: remove_gone
-- Rows of indicators that are no longer live, and of units that are no longer there.
DELETE FROM indicator_status s
WHERE NOT EXISTS (SELECT FROM indicator i WHERE i.code = s.code AND i.live) OR s.area_id <> ALL (%s)

-- name: select_touched_feeds
-- Feeds of which anything was stored since a moment.
SELECT DISTINCT f.key FROM stream_batch b JOIN feed f USING (feed_id)
WHERE b.committed_at > %(since)s AND b.accepted > 0

-- name: select_feed_states
-- Of each feed: when its newest accepted record was received (a register that is published again unchanged is all
-- duplicates, and counts), and its account of the last hour.
SELECT f.key, f.domain AS sector, f.name_vi, f.name_en, f.cadence, newest.received_at AS newest_at,
       coalesce(hour.consumed, 0)::bigint AS consumed, coalesce(hour.accepted, 0)::bigint AS accepted,
       coalesce(hour.rejected, 0)::bigint AS rejected, coalesce(week.consumed, 0)::bigint AS week_consumed,
       coalesce(week.rejected, 0)::bigint AS week_rejected, last.committed_at AS last_at
FROM feed f
LEFT JOIN LATERAL (
    SELECT committed_at FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.committed_at <= %(now)s
    ORDER BY committed_at DESC LIMIT 1
) last ON true
LEFT JOIN LATERAL (
    SELECT committed_at FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.committed_at <= %(now)s
      AND (b.accepted > 0 OR (f.key = 'registry.reporter' AND b.duplicate > 0))
    ORDER BY committed_at DESC LIMIT 1
) usable ON true
LEFT JOIN LATERAL (
    SELECT max(newest_received_at) AS received_at FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.committed_at <= %(now)s AND b.committed_at > usable.committed_at - interval '1 hour'
      AND (b.accepted > 0 OR (f.key = 'registry.reporter' AND b.duplicate > 0))
) newest ON true
LEFT JOIN LATERAL (
    SELECT sum(consumed) AS consumed, sum(accepted) AS accepted, sum(rejected) AS rejected FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.committed_at > %(now)s - interval '1 hour' AND b.committed_at <= %(now)s
) hour ON true
LEFT JOIN LATERAL (
    SELECT sum(consumed) AS consumed, sum(rejected) AS rejected FROM stream_batch b
    WHERE b.feed_id = f.feed_id AND b.committed_at > %(now)s - interval '7 days'
      AND b.committed_at <= %(now)s - interval '1 hour'
) week ON true
ORDER BY f.key

-- name: select_rejection_rules
-- Of one feed in the last hour: rejected events by rule, since when the rule is broken, and one of its reasons.
SELECT r.rule, count(*) AS events,
       (SELECT min(o.recorded_at) FROM rejected_event o
        WHERE o.feed_id = r.feed_id AND o.rule = r.rule AND o.recorded_at > %(now)s - interval '7 days') AS since,
       (array_agg(r.reasons -> 0 ->> 'field'))[1] AS field,
       (array_agg(r.reasons -> 0 ->> 'message_vi'))[1] AS message_vi,
       (array_agg(r.reasons -> 0 ->> 'message_en'))[1] AS message_en,
       count(DISTINCT r.reporter) AS reporters, (array_agg(DISTINCT r.reporter))[1:5] AS named
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND r.recorded_at > %(now)s - interval '1 hour' AND r.recorded_at <= %(now)s
GROUP BY r.feed_id, r.rule ORDER BY events DESC, r.rule LIMIT 5

-- name: select_registered
-- Who is registered for a feed on a day, and in which unit.
SELECT p.code, min(p.name) AS name, min(p.area_code) AS area_code
FROM reporter p JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND p.valid_from <= %(day)s AND p.valid_to > %(day)s
GROUP BY p.code ORDER BY p.code

-- name: select_loaded_at
SELECT loaded_at FROM profile

-- name: list_statuses
SELECT s.code, i.name_vi, i.name_en, s.area_id, a.code AS area_code, a.name_vi AS area_name, a.level AS area_level,
       s.sector, s.unit, s.owner, s.status, s.since, s.period, s.bucket, s.through, s.value, s.target_op, s.target,
       s.target_on, s.pace, t.source AS target_source, s.expected, s.lag, s.lag_in, s.lag_days, s.forecast,
       s.forecast_low, s.forecast_high, s.needed_per_week, s.unusual, s.unusual_score, s.usual, s.settlement,
       s.reported, s.due, s.cause, s.computed_at
FROM shown_status s
JOIN area a USING (area_id)
JOIN indicator i ON i.code = s.code AND i.live
LEFT JOIN target t ON t.target_id = s.target_id
WHERE (%(sector)s::text IS NULL OR s.sector = %(sector)s)
  AND (CASE WHEN %(area)s::text IS NOT NULL THEN a.code = %(area)s
            ELSE %(code)s::text IS NOT NULL OR a.parent_id IS NULL END)
  AND (%(code)s::text IS NULL OR s.code = %(code)s)
  AND (%(status)s::text IS NULL OR s.status = %(status)s)
  AND (NOT %(unusual)s OR s.unusual)
ORDER BY array_position(ARRAY['lagging', 'stale', 'incomplete', 'at_risk', 'no_data', 'on_track', 'no_target'], s.status),
         s.lag DESC NULLS LAST, i.sector, i.slot, s.area_id
LIMIT %(limit)s OFFSET %(offset)s

-- name: count_statuses
SELECT s.sector, count(*) FILTER (WHERE s.status = 'lagging') AS lagging,
       count(*) FILTER (WHERE s.status = 'at_risk') AS at_risk, count(*) FILTER (WHERE s.status = 'stale') AS stale,
       count(*) FILTER (WHERE s.status = 'incomplete') AS incomplete,
       count(*) FILTER (WHERE s.status = 'no_data') AS no_data,
       count(*) FILTER (WHERE s.status = 'on_track') AS on_track,
       count(*) FILTER (WHERE s.status = 'no_target') AS no_target, count(*) FILTER (WHERE s.unusual) AS unusual,
       max(s.computed_at) AS changed_at
FROM shown_status s JOIN area a USING (area_id)
WHERE CASE WHEN %(area)s::text IS NULL THEN a.parent_id IS NULL ELSE a.code = %(area)s END
GROUP BY s.sector
ORDER BY lagging DESC, stale DESC, incomplete DESC, at_risk DESC, s.sector

-- name: list_quality
SELECT q.day, q.measure, q.feed, q.sector, q.reporter, a.code AS area_code, a.name_vi AS area_name, q.numerator,
       q.denominator, q.share, q.detail, q.measured_at
FROM quality_measure q
JOIN area a USING (area_id)
WHERE (%(feed)s::text IS NULL OR q.feed = %(feed)s)
  AND (%(measure)s::text IS NULL OR q.measure = %(measure)s)
  AND (CASE WHEN %(area)s::text IS NULL THEN a.parent_id IS NULL ELSE a.code = %(area)s END)
  AND (CASE WHEN %(reporter)s::text IS NULL THEN q.reporter = '' ELSE q.reporter = %(reporter)s END)
  AND (CASE WHEN %(on)s::date IS NOT NULL THEN q.day = %(on)s
            ELSE q.day = (SELECT max(n.day) FROM quality_measure n
                          WHERE n.feed = q.feed AND n.measure = q.measure) END)
ORDER BY q.feed, q.measure, q.area_id, q.reporter
LIMIT %(limit)s

-- name: select_oldest_delta
SELECT min(appended_at) FROM (SELECT appended_at FROM measure_delta LIMIT 10000) waiting

-- name: select_positions
SELECT topic, partition, next_offset FROM stream_position WHERE topic = ANY (%s)

-- name: select_halts
SELECT topic, partition FROM stream_halt WHERE topic = ANY (%s)

-- name: job_begun
INSERT INTO scheduler_job (job, started_at) VALUES (%(job)s, %(now)s)
ON CONFLICT (job) DO UPDATE SET started_at = excluded.started_at

-- name: job_done
UPDATE scheduler_job SET finished_at = %(now)s, seconds = %(seconds)s, error = NULL, state = %(state)s WHERE job = %(job)s

-- name: job_failed
UPDATE scheduler_job SET failed_at = %(now)s, error = %(error)s WHERE job = %(job)s

-- name: select_job_state
SELECT state FROM scheduler_job WHERE job = %s

-- name: try_scheduler_lock
SELECT pg_try_advisory_lock(7305003)
