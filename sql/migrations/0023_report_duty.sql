-- Whether each registered reporter of the feed must report each period, even where it has nothing to say.
ALTER TABLE report_deadline ADD COLUMN duty boolean NOT NULL DEFAULT false;
