-- Messages that the platform sends itself: written once, sent afterwards, each delivery entered with its receipt.

-- name: put
INSERT INTO notification_outbox (key, channel, recipient, recipient_name, subject, body, opens, incident_id, created_at, due_at)
VALUES (%(key)s, %(channel)s, %(recipient)s, %(recipient_name)s, %(subject)s, %(body)s, %(opens)s, %(incident_id)s, %(now)s,
        %(now)s)
ON CONFLICT (key) DO NOTHING

-- name: claim
-- Take the message that has waited longest; until its lease is over nobody else takes it.
UPDATE notification_outbox SET attempts = attempts + 1, tried_at = %(now)s, due_at = %(until)s
WHERE notification_id = (
    SELECT notification_id FROM notification_outbox
    WHERE sent_at IS NULL AND given_up_at IS NULL AND due_at <= %(now)s AND channel = ANY (%(channels)s)
    ORDER BY due_at, notification_id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING notification_id, key, channel, recipient, recipient_name, subject, body, opens, incident_id, created_at, attempts

-- name: mark_sent
UPDATE notification_outbox SET sent_at = %(now)s, error = NULL WHERE notification_id = %(notification_id)s AND sent_at IS NULL

-- name: mark_failed
UPDATE notification_outbox SET due_at = %(due_at)s, error = %(error)s, given_up_at = %(given_up_at)s
WHERE notification_id = %(notification_id)s AND sent_at IS NULL

-- name: put_receipt
-- The same delivery is entered once.
INSERT INTO notification_receipt (key, incident_id, step, notification_id, sender, channel, recipient, sent_at, subject, detail)
VALUES (%(key)s, (SELECT incident_id FROM incident WHERE incident_id = %(incident_id)s), %(step)s, %(notification_id)s,
        %(sender)s, %(channel)s, %(recipient)s, %(sent_at)s, %(subject)s, %(detail)s)
ON CONFLICT (key) DO NOTHING

-- name: list_messages
-- What was sent, by the platform and by Grafana, and what waits or was given up, newest first.
SELECT * FROM (
    SELECT r.sent_at AS at, 'sent' AS state, r.sender, r.channel, r.recipient, r.incident_id, r.step, r.subject,
           NULL::text AS error
    FROM notification_receipt r
    UNION ALL
    SELECT coalesce(o.given_up_at, o.created_at), CASE WHEN o.given_up_at IS NULL THEN 'waiting' ELSE 'given_up' END,
           'platform', o.channel, coalesce(nullif(o.recipient_name, ''), o.recipient), o.incident_id, NULL, o.subject, o.error
    FROM notification_outbox o WHERE o.sent_at IS NULL
) message
WHERE NOT %(unsent)s OR state <> 'sent'
ORDER BY at DESC LIMIT %(limit)s

-- name: put_grafana_receipt
-- The same notification, told twice within a while, is entered once; a reminder a day later is another one.
INSERT INTO notification_receipt (key, incident_id, step, sender, channel, recipient, sent_at, subject, detail)
SELECT %(same)s || ':' || to_char(%(sent_at)s AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS'),
       (SELECT incident_id FROM incident WHERE incident_id = %(incident_id)s), %(step)s, 'grafana', %(channel)s, %(recipient)s,
       %(sent_at)s, %(subject)s, %(detail)s
WHERE NOT EXISTS (SELECT FROM notification_receipt r WHERE r.key LIKE %(same)s || ':%%' AND r.sent_at > %(since)s)
ON CONFLICT (key) DO NOTHING
