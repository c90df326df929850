-- The business day that a refused event speaks of, where it can be read: a figure is explained with what was refused of it.
ALTER TABLE rejected_event ADD COLUMN effective_on date;
GRANT SELECT (effective_on) ON rejected_event TO {reader};
CREATE OR REPLACE VIEW as_of.rejected_event AS
SELECT recorded_at, feed_id, topic, partition, record_offset, position, reporter, event_id, subject, rule, reasons,
       relayed_at, replayed_at, effective_on
FROM public.rejected_event WHERE recorded_at <= as_of.moment();
