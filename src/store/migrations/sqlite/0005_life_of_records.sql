-- What the carrier says of a call at its end or later; what was purged and erased. CRM reports read these names.
ALTER TABLE call_logs ADD COLUMN carrier_duration INTEGER;
ALTER TABLE call_logs ADD COLUMN billed_duration INTEGER;
ALTER TABLE call_logs ADD COLUMN cost TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN cost_currency TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN hangup_code INTEGER;
ALTER TABLE call_logs ADD COLUMN hangup_cause TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN hangup_source TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN settled_at TEXT;
ALTER TABLE call_logs ADD COLUMN event_floor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call_logs ADD COLUMN transcript_purged INTEGER NOT NULL DEFAULT 0 CHECK (transcript_purged IN (0, 1));
ALTER TABLE call_logs ADD COLUMN erased_at TEXT;

CREATE INDEX call_logs_carrier_call ON call_logs (carrier_call_id) WHERE carrier_call_id <> '';
CREATE INDEX call_logs_carrier_request ON call_logs (carrier_request_id) WHERE carrier_request_id <> '';
CREATE INDEX call_logs_ended ON call_logs (ended_at, id) WHERE ended_at IS NOT NULL;
-- What a purge looks for, so that it does not look at what was purged years ago.
CREATE INDEX call_logs_with_events ON call_logs (ended_at, id) WHERE ended_at IS NOT NULL AND event_floor < event_head;
CREATE INDEX call_logs_with_transcript ON call_logs (ended_at, id) WHERE ended_at IS NOT NULL AND transcript_purged = 0;
CREATE INDEX call_requests_call ON call_requests (call_id);

-- A tombstone: the type stays, what was in it is gone.
ALTER TABLE call_events ADD COLUMN erased INTEGER NOT NULL DEFAULT 0 CHECK (erased IN (0, 1));

-- Leads that clients write too. `fingerprint` is of the request that made it, '' for those that a call made.
ALTER TABLE leads ADD COLUMN status_call_id TEXT NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE leads ADD COLUMN suppressed INTEGER NOT NULL DEFAULT 0 CHECK (suppressed IN (0, 1));
ALTER TABLE leads ADD COLUMN suppressed_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN suppressed_at TEXT;
ALTER TABLE leads ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE leads ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';

CREATE INDEX leads_newest ON leads (created_at, id);

-- Whoever changes a lead, and only who really does, raises its revision.
CREATE TRIGGER leads_revision AFTER UPDATE ON leads
WHEN old.name IS NOT new.name OR old.call_status IS NOT new.call_status
  OR old.transferred_to_human IS NOT new.transferred_to_human OR old.last_call_id IS NOT new.last_call_id
  OR old.updated_at IS NOT new.updated_at OR old.disposition IS NOT new.disposition
  OR old.interest IS NOT new.interest OR old.follow_up_time IS NOT new.follow_up_time
  OR old.result_call_id IS NOT new.result_call_id OR old.status_call_id IS NOT new.status_call_id
  OR old.metadata IS NOT new.metadata OR old.suppressed IS NOT new.suppressed
  OR old.suppressed_reason IS NOT new.suppressed_reason OR old.suppressed_at IS NOT new.suppressed_at
BEGIN
  UPDATE leads SET revision = old.revision + 1 WHERE id = new.id;
END;

-- Up to which position of call_events something was purged.
CREATE TABLE log_state (
  id             INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  purged_through INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO log_state (id) VALUES (1);

-- Who read what was said in a call.
CREATE TABLE transcript_reads (
  id        INTEGER NOT NULL PRIMARY KEY,
  call_id   TEXT    NOT NULL REFERENCES call_logs (id),
  principal TEXT    NOT NULL,
  read_at   TEXT    NOT NULL
) STRICT;
CREATE INDEX transcript_reads_call ON transcript_reads (call_id, id);

-- Which people were erased: a hash that many numbers share, and how many rows it touched.
CREATE TABLE erasures (
  id               TEXT    NOT NULL PRIMARY KEY,
  erased_by        TEXT    NOT NULL,
  erased_at        TEXT    NOT NULL,
  number_hash      TEXT    NOT NULL,
  leads            INTEGER NOT NULL,
  calls            INTEGER NOT NULL,
  transcript_items INTEGER NOT NULL,
  transfers        INTEGER NOT NULL,
  events           INTEGER NOT NULL,
  summary_jobs     INTEGER NOT NULL
) STRICT;
