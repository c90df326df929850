-- Of two revisions that came in one transaction both bear its time: which of them never counted is kept with them.
ALTER TABLE record_revision ADD COLUMN superseded boolean NOT NULL DEFAULT false;   -- came after a newer one; never counted
