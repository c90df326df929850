-- What the scheduler opens incidents of: see streams/status/stream_fault.py. The view `stream_fault` shows the same to
-- whoever looks; here the moment is given.

-- name: select_halted
-- By topic: partitions of which nothing is stored until `ioc position accept`.
SELECT topic, count(*) AS partitions, min(kind) AS kind, min(found_at) AS since,
       jsonb_agg(jsonb_build_object('partition', partition, 'position', position, 'log_start', log_start,
                                    'log_end', log_end) ORDER BY partition) AS positions
FROM stream_halt WHERE topic = ANY (%(topics)s) GROUP BY topic ORDER BY topic

-- name: select_unstorable
-- By feed: events that the database would not take, and that nobody has replayed.
SELECT f.key, count(*) AS events, min(r.recorded_at) AS since, min(r.reasons -> 0 ->> 'value') AS reason
FROM rejected_event r JOIN feed f USING (feed_id)
WHERE r.rule = 'unstorable' AND r.replayed_at IS NULL AND r.recorded_at > %(since)s AND r.recorded_at <= %(now)s
GROUP BY f.key ORDER BY f.key

-- name: select_contributions
-- By feed: contributions that could not be folded; at most 20 of their records.
SELECT f.key, count(*) AS events, min(s.set_aside_at) AS since, min(s.bucket) AS first_on, max(s.bucket) AS last_on,
       min(s.fault) AS fault, (array_agg(s.records[1] ORDER BY s.set_aside_id))[1:20] AS records
FROM contribution_set_aside s JOIN feed f USING (feed_id)
GROUP BY f.key ORDER BY f.key

-- name: select_lost
-- By topic: what Kafka deleted before it was read. Offsets that the log never shows (`skipped`) held no event, and of a
-- log that an operator accepted nothing is known to be lost.
SELECT topic, sum(to_offset - from_offset)::bigint AS lost, min(found_at) AS since FROM stream_gap
WHERE kind = 'deleted' AND topic = ANY (%(topics)s) AND found_at > %(since)s AND found_at <= %(now)s
GROUP BY topic ORDER BY topic
