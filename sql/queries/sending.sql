-- What a sector's engineer sees of what their system has sent. %(own)s: a regular expression of the token's reporters.

-- name: select_counts
-- Of a feed, since a moment: events of the batches. Only who may send for every reporter sees them.
SELECT coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(rejected), 0)::bigint AS rejected,
       coalesce(sum(duplicate), 0)::bigint AS duplicate
FROM stream_batch JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND committed_at >= %(since)s

-- name: count_stored
-- Records of the token's reporters whose winning revision was stored since a moment.
SELECT count(*) AS stored, max(received_at) AS newest FROM {table}
WHERE recorded_at >= %(since)s AND reporter ~ %(own)s

-- name: count_rejected
SELECT count(*) AS rejected FROM rejected_event JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND recorded_at >= %(since)s AND reporter ~ %(own)s

-- name: select_causes
-- Refused events since a moment, the newest cause first: the same mistake of a thousand records is one line.
SELECT f.key AS feed, r.rule, r.reasons -> 0 ->> 'field' AS field, count(*) AS events,
       count(*) FILTER (WHERE r.replayed_at IS NULL) AS waiting, count(DISTINCT r.reporter) AS reporters,
       max(r.recorded_at) AS last_at, min(r.effective_on) AS first_on, max(r.effective_on) AS last_on
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE f.key = ANY(%(feeds)s) AND r.recorded_at >= %(since)s
  AND (r.reporter ~ %(own)s OR (r.reporter IS NULL AND %(whole)s))
GROUP BY 1, 2, 3 ORDER BY last_at DESC, 1, 2, 3 LIMIT %(limit)s

-- name: select_samples
-- The newest of a cause; what a reason shows of a value is masked.
SELECT r.recorded_at, r.reporter, r.event_id, r.effective_on, r.reasons -> 0 ->> 'value' AS value,
       r.reasons -> 0 ->> 'message_vi' AS message_vi, r.reasons -> 0 ->> 'message_en' AS message_en
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND r.rule = %(rule)s AND r.reasons -> 0 ->> 'field' IS NOT DISTINCT FROM %(field)s
  AND r.recorded_at >= %(since)s AND (r.reporter ~ %(own)s OR (r.reporter IS NULL AND %(whole)s))
ORDER BY r.recorded_at DESC LIMIT 3

-- name: select_duties
SELECT feed, cadence FROM report_deadline WHERE duty AND feed = ANY(%(feeds)s)

-- name: select_silent
-- Reporters of the token that must report a day and of whom no record of that day is there.
SELECT p.code, min(p.name) AS name FROM reporter p JOIN feed f USING (feed_id)
WHERE f.key = %(feed)s AND p.code ~ %(own)s AND p.valid_from <= %(day)s AND p.valid_to > %(day)s
  AND NOT EXISTS (SELECT FROM {table} r WHERE r.reporter = p.code AND r.effective_on = %(day)s
                  AND r.effective_at >= %(day)s::date - 2 AND r.effective_at < %(day)s::date + 3)
GROUP BY p.code ORDER BY p.code

-- name: select_totals
SELECT feed, reporter, first_on, last_on, max(records) AS records, max(told_at) AS told_at,
       jsonb_object_agg(summed, total) FILTER (WHERE summed <> '') AS sums
FROM control_total WHERE feed = ANY(%(feeds)s) AND reporter ~ %(own)s
GROUP BY 1, 2, 3, 4 ORDER BY max(told_at) DESC LIMIT 10

-- name: count_told
SELECT count(*) AS stored FROM {table}
WHERE reporter = %(reporter)s AND effective_on BETWEEN %(first_on)s AND %(last_on)s

-- name: select_day
-- The last business day that is over: yesterday, or in a simulated past the newest one with figures.
SELECT least(%(yesterday)s::date, newest_day()) AS day
