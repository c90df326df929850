-- đúng, đủ, sạch, sống of a day, as the scheduler keeps them. A day of the account is that of the commit.

-- name: upsert
INSERT INTO quality_measure AS q (day, measure, feed, sector, reporter, area_id, numerator, denominator, detail,
                                  measured_at)
VALUES (%(day)s, %(measure)s, %(feed)s, %(sector)s, %(reporter)s, %(area_id)s, %(numerator)s, %(denominator)s,
        %(detail)s, %(now)s)
ON CONFLICT (day, measure, feed, sector, area_id, reporter) DO UPDATE
SET numerator = excluded.numerator, denominator = excluded.denominator, detail = excluded.detail,
    measured_at = excluded.measured_at
WHERE (q.numerator, q.denominator, q.detail) IS DISTINCT FROM
      (excluded.numerator, excluded.denominator, excluded.detail)

-- name: select_accounts
-- By feed: what became of the events that were stored in [start, end), and how long they took from Kafka to there.
SELECT f.key, f.domain AS sector, sum(b.consumed)::bigint AS consumed, sum(b.accepted)::bigint AS accepted,
       sum(b.rejected)::bigint AS rejected, sum(b.duplicate)::bigint AS duplicate, sum(b.corrected)::bigint AS corrected,
       sum(b.voided)::bigint AS voided, sum(b.superseded)::bigint AS superseded,
       percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (
           ORDER BY extract(epoch FROM b.committed_at - b.oldest_received_at)::float8) AS seconds
FROM stream_batch b JOIN feed f USING (feed_id)
WHERE b.committed_at >= %(start)s AND b.committed_at < %(end)s
GROUP BY f.key, f.domain

-- name: select_rules
-- By feed and rule: events that were refused in [start, end).
SELECT f.key, r.rule, count(*) AS events FROM rejected_event r JOIN feed f USING (feed_id)
WHERE r.recorded_at >= %(start)s AND r.recorded_at < %(end)s
GROUP BY f.key, r.rule ORDER BY f.key, events DESC, r.rule

-- name: select_refused_reporters
-- By feed and reporter: events that were refused in [start, end).
SELECT f.key, r.reporter, count(*) AS events FROM rejected_event r JOIN feed f USING (feed_id)
WHERE r.recorded_at >= %(start)s AND r.recorded_at < %(end)s AND r.reporter IS NOT NULL
GROUP BY f.key, r.reporter

-- name: select_superseded
-- By feed and reporter: revisions that came after a newer one, in [start, end), and never counted.
SELECT f.key, h.reporter, count(*) AS revisions FROM record_revision h JOIN feed f USING (feed_id)
WHERE h.superseded AND h.reporter IS NOT NULL AND h.recorded_at >= %(start)s AND h.recorded_at < %(end)s
GROUP BY f.key, h.reporter

-- name: select_dead_seconds
-- By feed: seconds of [start, end) that lay further than the cadence behind the newest accepted batch.
WITH batch AS (
    SELECT b.feed_id, b.committed_at FROM stream_batch b
    WHERE b.committed_at >= %(start)s AND b.committed_at < %(end)s AND b.accepted > 0
    UNION ALL
    SELECT f.feed_id, before.committed_at FROM feed f
    CROSS JOIN LATERAL (
        SELECT committed_at FROM stream_batch b
        WHERE b.feed_id = f.feed_id AND b.accepted > 0 AND b.committed_at < %(start)s
        ORDER BY committed_at DESC LIMIT 1
    ) before
), gap AS (
    SELECT feed_id, committed_at AS from_at,
           lead(committed_at, 1, %(end)s::timestamptz) OVER (PARTITION BY feed_id ORDER BY committed_at) AS to_at
    FROM batch
)
SELECT f.key, f.domain AS sector, extract(epoch FROM f.cadence)::float8 AS cadence,
       sum(extract(epoch FROM greatest(g.to_at - greatest(g.from_at + f.cadence, %(start)s), interval '0')))::float8
           AS dead,
       extract(epoch FROM %(end)s - max(g.from_at))::float8 AS age
FROM gap g JOIN feed f USING (feed_id)
GROUP BY f.key, f.domain, f.cadence

-- name: select_control_totals
SELECT feed, reporter, first_on, last_on, records, summed, total, told_at FROM control_total
WHERE last_on >= %(since)s ORDER BY feed, reporter, first_on
