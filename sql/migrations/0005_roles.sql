-- The worker writes data and never changes the schema; the reader (dashboards, HTTP API) only reads.
-- {writer} and {reader} are replaced by the configured role names.
GRANT USAGE ON SCHEMA public TO {writer}, {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {writer};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {reader};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {writer};
-- Payloads of rejected events are for operators, not for dashboards.
REVOKE SELECT ON rejected_event FROM {reader};
GRANT SELECT (recorded_at, feed_id, topic, partition, record_offset, position, reporter, event_id, subject, rule,
              reasons, relayed_at, replayed_at) ON rejected_event TO {reader};
