-- A role for each process that writes, with the rights of its work and no others. Gateway, file drop and pollers have no
-- role: they reach no database. `writer` stays for commands. What a process may do with record tables is granted by
-- `ioc db migrate`, feed by feed (grant_record_table). Later migrations grant these roles what they need of new tables:
-- they get nothing by default.
GRANT USAGE ON SCHEMA public TO {worker}, {rollup}, {scheduler}, {api};

-- What is counted, where, and since when: not a figure, not a record.
GRANT SELECT ON schema_migration, profile, feed, area, area_placement, area_carry_over, area_chain, reporter, measure, indicator,
                catalogue_epoch TO {worker}, {rollup}, {scheduler};

-- The worker stores what it has read; it sees no figure.
GRANT SELECT, INSERT, UPDATE ON stream_position, record_identity TO {worker};
GRANT SELECT, INSERT ON stream_halt, record_revision TO {worker};
GRANT SELECT, INSERT, UPDATE (relayed_at) ON rejected_event TO {worker};
GRANT INSERT ON stream_batch, measure_delta, member_delta TO {worker};
GRANT SELECT, INSERT ON stream_gap TO {worker};

-- The roll-up folds contributions into sums and figures; it sees no record but the keys of those at fault.
GRANT SELECT, DELETE ON measure_delta, member_delta TO {rollup};
GRANT SELECT, INSERT, UPDATE, DELETE ON measure_cell, distinct_member, indicator_cell, contribution_set_aside TO {rollup};
GRANT SELECT, INSERT, DELETE ON open_day TO {rollup};
GRANT SELECT, INSERT ON open_day_change TO {rollup};
GRANT SELECT, INSERT, UPDATE ON figure_change TO {rollup};
GRANT SELECT (key, revision, feed_id) ON record_revision TO {rollup};

-- The scheduler judges: it reads records and figures, to prove them, and writes neither.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {scheduler};
REVOKE SELECT ON audit_entry, rejected_event FROM {scheduler};
GRANT SELECT (recorded_at, feed_id, topic, partition, record_offset, position, reporter, event_id, subject, rule, reasons,
              relayed_at, replayed_at, effective_on) ON rejected_event TO {scheduler};
GRANT INSERT, UPDATE, DELETE ON indicator_status, disclosure_cell, scheduler_job TO {scheduler};
GRANT INSERT, UPDATE ON quality_measure, control_total, stream_position, incident, incident_touch, notification_outbox
    TO {scheduler};
GRANT INSERT ON indicator_status_change, incident_change, notification_receipt, figure_snapshot, figure_snapshot_run,
                quality_snapshot TO {scheduler};
GRANT INSERT, UPDATE, DELETE ON figure_change TO {scheduler};
GRANT INSERT, DELETE ON figure_record TO {scheduler};
GRANT USAGE ON SEQUENCE figure_revision TO {scheduler};

-- The API reads as the reader. As itself it acts on incidents, asks for a link to be sent, and enters receipts.
GRANT SELECT ON incident, incident_change, notification_receipt, notification_outbox TO {api};
GRANT UPDATE (acknowledged_by, acknowledged_at, silenced_until, silenced_by, silence_reason, assigned_to, assigned_at,
              changed_at) ON incident TO {api};
GRANT INSERT ON incident_change, notification_receipt, notification_outbox TO {api};
GRANT INSERT (told_at, actor, host, through, act, subject, outcome, begun_id, arguments, before, after) ON audit_entry TO {api};
GRANT SELECT (audit_id) ON audit_entry TO {api};
