-- What shows that a log is still the one that was read: a log is cut only when its leader changes, and then its epoch does.
-- The mark is a hash of the last record that was stored (its time, key and value); where the epoch has changed, the record
-- at that offset must still have it.
ALTER TABLE stream_position ADD COLUMN leader_epoch integer; -- Kafka's, under which the log was last known to be the one that was read
ALTER TABLE stream_position ADD COLUMN mark_offset bigint;   -- of the last record that was stored
ALTER TABLE stream_position ADD COLUMN mark uuid;
