-- What the platform sends itself: a message that nobody takes is given up, and no row holds what opens a page.

ALTER TABLE notification_outbox ADD COLUMN opens text NOT NULL DEFAULT '';  -- path of the page; its signed link is made when it is sent
ALTER TABLE notification_outbox ADD COLUMN recipient_name text NOT NULL DEFAULT '';  -- as people call the post
ALTER TABLE notification_outbox ADD COLUMN given_up_at timestamptz;
DROP INDEX notification_outbox_waiting;
CREATE INDEX notification_outbox_waiting ON notification_outbox (due_at) WHERE sent_at IS NULL AND given_up_at IS NULL;

-- Who can read the table could act in the post's name: links are made for one recipient, when a message is sent.
UPDATE incident SET link = link - 'opens' WHERE link ? 'opens';
