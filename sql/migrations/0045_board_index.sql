-- Incidents are kept for ever; the alert rule asks every minute for those that ended in the last hours, and the board for the
-- newest hundred.
CREATE INDEX incident_closed ON incident (closed_at DESC) WHERE closed_at IS NOT NULL;

-- Boards show the quality of the province by feed and day; by the index of feeds they would read all units of each day.
CREATE INDEX quality_measure_area ON quality_measure (area_id, measure, feed, day DESC) WHERE reporter = '';
