-- What the benchmark measures by, and the year of figures that its overview reads.

-- name: progress
SELECT coalesce(sum(consumed), 0)::bigint FROM stream_batch

-- name: commits
SELECT extract(epoch FROM committed_at)::double precision, consumed FROM stream_batch ORDER BY committed_at

-- name: commit_latencies
-- Seconds from the append of each stored event to its transaction's end, by the transaction that both rows share.
SELECT extract(epoch FROM b.committed_at - r.received_at)::double precision
FROM tax_einvoice r JOIN stream_batch b ON b.xmin = r.xmin
WHERE r.received_at >= to_timestamp(%s)

-- name: counted
-- How many e-invoices the province's figures know of in a year.
SELECT coalesce(max(value), 0)::bigint FROM indicator_value
WHERE code = %(code)s AND area_level = 'province' AND period = 'year'

-- name: make_history
INSERT INTO record_identity (key, feed_id, revision, content_hash, effective_at)
SELECT md5('bench/' || n)::uuid, (SELECT feed_id FROM feed WHERE key = %(feed)s), 1, md5(n::text)::uuid,
       timestamptz '2024-01-01' + n * interval '5 s'
FROM generate_series(1, %(records)s) AS n

-- name: peer_rows
SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'peer_row'

-- name: peer_curve
SELECT extract(epoch FROM recorded_at)::double precision, count(*) FROM peer_row GROUP BY recorded_at ORDER BY 1

-- name: make_contributions
-- What workers would append in a year: for every feed, leaf area and day a row that adds something to every sum. Agencies
-- report for the province alone.
INSERT INTO measure_delta (feed_id, area_id, bucket, sums)
SELECT f.feed_id, a.area_id, d::date,
       ARRAY(SELECT (abs(hashint4(n + a.area_id + d::date - date '2024-01-01')) %% 1000)::bigint
             FROM generate_series(1, f.width) AS n)
FROM (SELECT m.feed_id, max(m.slot)::int AS width FROM measure m GROUP BY m.feed_id) f
JOIN feed USING (feed_id)
CROSS JOIN generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS d
JOIN area a ON a.valid_from <= d::date AND a.valid_to > d::date
WHERE CASE WHEN feed.key = 'report.value' THEN a.parent_id IS NULL
           ELSE NOT EXISTS (SELECT FROM area below WHERE below.parent_id = a.area_id) END
ORDER BY d, f.feed_id, a.area_id

-- name: count_figures
SELECT sum(cardinality(figures) - cardinality(array_positions(figures, NULL)))::bigint FROM indicator_cell

-- name: copy_records
-- Every stored e-invoice again under other keys, until there are so many.
INSERT INTO tax_einvoice
SELECT (jsonb_populate_record(r, jsonb_build_object('key', md5(r.key::text || n)::uuid, 'record_key', r.record_key || '/' || n))).*
FROM tax_einvoice r, generate_series(1, (%(records)s / (SELECT count(*) FROM tax_einvoice)) - 1) AS n

-- name: forget_counting
-- As if the feed's records had been stored by a catalogue that counted nothing of them.
DELETE FROM indicator WHERE sector IN ('einvoice', 'petrol');
DELETE FROM measure_delta;
DELETE FROM member_delta;
DELETE FROM measure WHERE feed_id = (SELECT feed_id FROM feed WHERE key = 'tax.einvoice')

-- name: overview
-- Every indicator's latest day, month to date and year to date for the province: what a leader's first page shows.
SELECT code, period, value FROM indicator_value
WHERE area_id = %(area)s
  AND (period, bucket) IN (('day', %(day)s), ('month', date_trunc('month', %(day)s::date)::date),
                           ('year', date_trunc('year', %(day)s::date)::date))

-- name: make_statuses
-- A status for every indicator and area, as the scheduler would keep it: panels read as many rows as they will.
INSERT INTO indicator_status (code, area_id, sector, unit, owner, status, since, period, bucket, through, value, target_op, target,
                              expected, lag, lag_in, computed_at)
SELECT i.code, c.area_id, i.sector, i.unit, i.owner,
       (ARRAY['on_track', 'at_risk', 'lagging', 'stale', 'incomplete', 'no_target'])[1 + (i.slot + c.area_id) %% 6], now(), 'day',
       %(day)s::date - 1, %(day)s::date - 1, c.figures[i.slot], i.target_op, i.target, i.target, 1.5, '%%', now()
FROM indicator i
JOIN indicator_cell c ON c.sector = i.sector AND c.period = 'day' AND c.bucket = %(day)s::date - 1
WHERE i.live

-- name: make_assessed
-- What stands beside a year's figures: what readers may see of guarded sectors (all of it, the dearest case), quality by feed,
-- area and day, closed and open incidents, and the last hours' batches and refusals.
INSERT INTO disclosure_cell (sector, period, area_id, bucket, figures_at, hidden, figures)
SELECT c.sector, c.period, c.area_id, c.bucket, c.updated_at, '{}', c.figures
FROM indicator_cell c JOIN small_cell_rule USING (sector)
ON CONFLICT DO NOTHING;
INSERT INTO quality_measure (day, measure, feed, sector, area_id, numerator, denominator, measured_at)
SELECT d::date, measure, f.key, '', a.area_id, 95, 100, now()
FROM feed f
CROSS JOIN unnest(ARRAY['correct', 'complete', 'clean', 'live', 'superseded']) AS measure
CROSS JOIN (SELECT DISTINCT bucket FROM indicator_cell WHERE period = 'day') AS day (d)
JOIN area a ON a.valid_from <= d AND a.valid_to > d
ON CONFLICT DO NOTHING;
INSERT INTO incident (cause, kind, severity, sector, owner, title_vi, title_en, summary_vi, summary_en, evidence, since,
                      opened_at, changed_at, seen_at, closed_at, step_at)
SELECT 'bench:' || n, 'lagging', CASE n % 3 WHEN 0 THEN 'critical' ELSE 'warning' END, 'lodging', 'bench', 'bench ' || n,
       'bench ' || n, 'bench', 'bench', '{}', at, at, at, at, CASE WHEN n > 60 THEN at + interval '1 hour' END, at
FROM (SELECT n, now() - n * interval '2 hours' AS at FROM generate_series(1, 5000) AS n) made;
INSERT INTO incident_touch (incident_id, code, area_id, touched_at)
SELECT i.incident_id, s.code, s.area_id, i.opened_at
FROM incident i CROSS JOIN (SELECT code, area_id FROM indicator_status ORDER BY 1, 2 LIMIT 100) s
WHERE i.closed_at IS NULL;
INSERT INTO stream_batch (committed_at, feed_id, topic, partition, first_offset, next_offset, consumed, accepted, rejected,
                          duplicate, corrected, voided, superseded, oldest_received_at, newest_received_at)
SELECT at, feed_id, 'bench', 0, n, n + 1, 100, 96, 3, 1, 20, 1, 0, at - interval '2 s', at
FROM feed CROSS JOIN (SELECT n, now() - n * interval '15 s' AS at FROM generate_series(1, 720) AS n) batch;
INSERT INTO rejected_event (feed_id, topic, partition, record_offset, position, rule, reasons)
SELECT feed_id, 'bench', 0, n, 0, 'rule_' || n % 10, '[{"message_vi": "bench", "message_en": "bench"}]'
FROM feed CROSS JOIN generate_series(1, 2000) AS n

-- name: touch_feed
-- A batch of a feed, and the newest figures of the sector that rests on it moved as the roll-up would move them, in some
-- communes and all that they lie in. Of a commune's figures each fourth moves, as one event does it; of a district's each
-- second, with every = 4.
WITH RECURSIVE place AS (
    (SELECT a.area_id, a.parent_id, %(every)s::int AS every FROM area a, (SELECT max(day) AS day FROM open_day) newest
     WHERE a.valid_from <= day AND day < a.valid_to AND NOT EXISTS (SELECT FROM area below WHERE below.parent_id = a.area_id)
     ORDER BY hashint4(a.area_id + %(salt)s) LIMIT %(communes)s)
    UNION
    SELECT a.area_id, a.parent_id, greatest(%(every)s::int / 2, 1) FROM area a JOIN place p ON a.area_id = p.parent_id
), moved AS (
    UPDATE indicator_cell c
    SET figures = (SELECT array_agg(CASE WHEN (n + p.area_id + %(salt)s) %% p.every = 0 THEN f * 1.001 ELSE f END ORDER BY n)
                   FROM unnest(c.figures) WITH ORDINALITY u (f, n))
    FROM place p
    WHERE c.sector = %(sector)s AND c.period = 'day' AND c.bucket >= (SELECT max(day) - 1 FROM open_day)
      AND c.area_id = p.area_id
    RETURNING 1
)
INSERT INTO stream_batch (committed_at, feed_id, topic, partition, first_offset, next_offset, consumed, accepted, rejected,
                          duplicate, corrected, voided, superseded, oldest_received_at, newest_received_at)
SELECT %(now)s, feed_id, 'bench', 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, %(now)s, %(now)s FROM feed WHERE key = %(feed)s

-- name: count_statuses
SELECT count(*) FROM indicator_status

-- name: writer_sessions
-- The sessions of worker and roll-up in this database.
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ('ioc-worker', 'ioc-rollup')

-- name: sight
-- How far worker and roll-up have come: the newest batch that is committed, the oldest contribution that waits, and whether
-- figures are postponed.
SELECT (SELECT max(committed_at) FROM stream_batch) AS newest,
       least((SELECT min(appended_at) FROM measure_delta), (SELECT min(appended_at) FROM member_delta)) AS oldest,
       EXISTS (SELECT FROM figure_postponed) AS postponed

-- name: record_latencies
-- Each record of a table that Kafka had after a moment: when that was, its transaction's begin and its last batch.
SELECT extract(epoch FROM r.received_at)::double precision, r.recorded_at, b.committed_at
FROM {table} r JOIN (SELECT xmin::text AS writer, max(committed_at) AS committed_at FROM stream_batch GROUP BY 1) b
  ON b.writer = r.xmin::text
WHERE r.received_at >= to_timestamp({since})

-- name: member_bytes
-- What the members of distinct counts take on disk, with their indexes.
SELECT pg_total_relation_size('distinct_member')

-- name: waiting
SELECT EXISTS (SELECT FROM measure_delta) OR EXISTS (SELECT FROM member_delta) OR EXISTS (SELECT FROM figure_postponed)

-- name: digest_of_figures
SELECT md5(string_agg(ROW (sector, period, area_id, bucket, figures)::text, ';' ORDER BY sector, period, area_id, bucket))
FROM indicator_cell
