-- What a text model made of a call, on the call and on whom it was with. CRM reports read these names.
ALTER TABLE call_logs ADD COLUMN disposition TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN interest TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN follow_up_time TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN result_fields TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN summary_settled INTEGER NOT NULL DEFAULT 0 CHECK (summary_settled IN (0, 1));
ALTER TABLE call_logs ADD COLUMN answered_by TEXT NOT NULL DEFAULT 'unknown';

ALTER TABLE leads ADD COLUMN disposition TEXT NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN interest TEXT NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN follow_up_time TEXT NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN result_call_id TEXT NOT NULL DEFAULT '';

-- Every number that was dialled for a transfer: an array of objects.
ALTER TABLE call_transfers ADD COLUMN attempts TEXT NOT NULL DEFAULT '[]';

-- Calls that are over and wait for their summary.
CREATE TABLE summary_jobs (
  call_id    TEXT    NOT NULL PRIMARY KEY REFERENCES call_logs (id),
  attempts   INTEGER NOT NULL DEFAULT 0,
  due_at     TEXT    NOT NULL,
  last_error TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX summary_jobs_due ON summary_jobs (due_at, call_id);
