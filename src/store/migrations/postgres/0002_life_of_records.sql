-- What the carrier says of a call at its end or later; what was purged and erased. CRM reports read these names.
ALTER TABLE call_logs
  ADD COLUMN carrier_duration  bigint,
  ADD COLUMN billed_duration   bigint,
  ADD COLUMN cost              text    NOT NULL DEFAULT '',
  ADD COLUMN cost_currency     text    NOT NULL DEFAULT '',
  ADD COLUMN hangup_code       bigint,
  ADD COLUMN hangup_cause      text    NOT NULL DEFAULT '',
  ADD COLUMN hangup_source     text    NOT NULL DEFAULT '',
  ADD COLUMN settled_at        timestamptz,
  ADD COLUMN event_floor       bigint  NOT NULL DEFAULT 0,
  ADD COLUMN transcript_purged boolean NOT NULL DEFAULT false,
  ADD COLUMN erased_at         timestamptz;

CREATE INDEX call_logs_carrier_call ON call_logs (carrier_call_id) WHERE carrier_call_id <> '';
CREATE INDEX call_logs_carrier_request ON call_logs (carrier_request_id) WHERE carrier_request_id <> '';
CREATE INDEX call_logs_ended ON call_logs (ended_at, id) WHERE ended_at IS NOT NULL;
-- What a purge looks for, so that it does not look at what was purged years ago.
CREATE INDEX call_logs_with_events ON call_logs (ended_at, id) WHERE ended_at IS NOT NULL AND event_floor < event_head;
CREATE INDEX call_logs_with_transcript ON call_logs (ended_at, id) WHERE ended_at IS NOT NULL AND NOT transcript_purged;
CREATE INDEX call_requests_call ON call_requests (call_id);

-- A tombstone: the type stays, what was in it is gone.
ALTER TABLE call_events ADD COLUMN erased boolean NOT NULL DEFAULT false;

-- Leads that clients write too. `fingerprint` is of the request that made it, '' for those that a call made.
ALTER TABLE leads
  ADD COLUMN status_call_id    text    COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN metadata          jsonb   NOT NULL DEFAULT '{}',
  ADD COLUMN suppressed        boolean NOT NULL DEFAULT false,
  ADD COLUMN suppressed_reason text    NOT NULL DEFAULT '',
  ADD COLUMN suppressed_at     timestamptz,
  ADD COLUMN revision          bigint  NOT NULL DEFAULT 1,
  ADD COLUMN fingerprint       text    NOT NULL DEFAULT '';

CREATE INDEX leads_newest ON leads (created_at, id);

-- Whoever changes a lead, and only who really does, raises its revision.
CREATE FUNCTION callbridge_raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  new.revision := old.revision + 1;
  RETURN new;
END
$$;
CREATE TRIGGER leads_revision BEFORE UPDATE ON leads FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*)
  EXECUTE FUNCTION callbridge_raise_revision();

-- Up to which position of call_events something was purged.
CREATE TABLE log_state (
  id             smallint NOT NULL PRIMARY KEY CHECK (id = 1),
  purged_through bigint   NOT NULL DEFAULT 0
);
INSERT INTO log_state (id) VALUES (1);

-- Who read what was said in a call.
CREATE TABLE transcript_reads (
  id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id   text        COLLATE "C" NOT NULL REFERENCES call_logs (id),
  principal text        NOT NULL,
  read_at   timestamptz NOT NULL
);
CREATE INDEX transcript_reads_call ON transcript_reads (call_id, id);

-- Which people were erased: a hash that many numbers share, and how many rows it touched. `ordinal` keeps the order of
-- equal times.
CREATE TABLE erasures (
  id               text        COLLATE "C" NOT NULL PRIMARY KEY,
  erased_by        text        NOT NULL,
  erased_at        timestamptz NOT NULL,
  number_hash      text        NOT NULL,
  leads            bigint      NOT NULL,
  calls            bigint      NOT NULL,
  transcript_items bigint      NOT NULL,
  transfers        bigint      NOT NULL,
  events           bigint      NOT NULL,
  summary_jobs     bigint      NOT NULL,
  ordinal          bigint      GENERATED ALWAYS AS IDENTITY
);
