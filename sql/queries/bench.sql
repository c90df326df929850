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

-- name: make_year
-- Figures of every sector for every unit of 2024 and every period of the year.
INSERT INTO indicator_cell (sector, period, area_id, bucket, figures)
SELECT s.sector, p.period, a.area_id, p.bucket, array_fill(random(), ARRAY[s.slots])
FROM (SELECT sector, max(slot)::int AS slots FROM indicator GROUP BY sector) s,
     (SELECT area_id FROM area WHERE valid_from <= '2024-01-01' AND valid_to > '2024-12-31') a,
     (SELECT 'day' AS period, d::date AS bucket FROM generate_series(date '2024-01-01', '2024-12-31', '1 day') d
      UNION ALL SELECT 'week', d::date FROM generate_series(date '2024-01-01', '2024-12-30', '7 days') d
      UNION ALL SELECT 'month', d::date FROM generate_series(date '2024-01-01', '2024-12-01', '1 month') d
      UNION ALL SELECT 'quarter', d::date FROM generate_series(date '2024-01-01', '2024-10-01', '3 months') d
      UNION ALL SELECT 'year', date '2024-01-01') p
ON CONFLICT DO NOTHING

-- name: overview
-- Every indicator's latest day, month to date and year to date for the province: what a leader's first page shows.
SELECT code, period, value FROM indicator_value
WHERE area_id = %(area)s
  AND (period, bucket) IN (('day', %(day)s), ('month', date_trunc('month', %(day)s::date)::date),
                           ('year', date_trunc('year', %(day)s::date)::date))
