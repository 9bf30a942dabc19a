-- Ends a transaction, and with it the pipeline it is in, unless `ok`. The states UB001 and UB002 are our own; see
-- src/store/postgres/sql_state.h.
CREATE FUNCTION callbridge_require(ok boolean, state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF ok IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'callbridge: the transaction does not apply';
  END IF;
END
$$;

-- A person, by phone number. CRM reports read these names.
CREATE TABLE leads (
  id                   text        COLLATE "C" NOT NULL PRIMARY KEY,
  phone                text        COLLATE "C" NOT NULL UNIQUE,
  name                 text        NOT NULL DEFAULT '',
  call_status          text        NOT NULL DEFAULT 'new',
  transferred_to_human boolean     NOT NULL DEFAULT false,
  last_call_id         text        COLLATE "C" NOT NULL DEFAULT '',
  created_at           timestamptz NOT NULL,
  updated_at           timestamptz NOT NULL,
  disposition          text        NOT NULL DEFAULT '',
  interest             text        NOT NULL DEFAULT '',
  follow_up_time       text        NOT NULL DEFAULT '',
  result_call_id       text        COLLATE "C" NOT NULL DEFAULT ''
);

-- One row per call. CRM reports read these names.
CREATE TABLE call_logs (
  id                 text        COLLATE "C" NOT NULL PRIMARY KEY,
  direction          text        NOT NULL,
  from_number        text        COLLATE "C" NOT NULL,
  to_number          text        COLLATE "C" NOT NULL,
  agent              text        NOT NULL,
  lead_id            text        COLLATE "C" REFERENCES leads (id),
  status             text        NOT NULL DEFAULT 'called',
  state              text        NOT NULL,
  carrier_call_id    text        COLLATE "C" NOT NULL DEFAULT '',
  carrier_request_id text        COLLATE "C" NOT NULL DEFAULT '',
  model_session_id   text        NOT NULL DEFAULT '',
  created_at         timestamptz NOT NULL,
  answered_at        timestamptz,
  ended_at           timestamptz,
  duration           bigint      NOT NULL DEFAULT 0,
  transferred        boolean     NOT NULL DEFAULT false,
  transfer_reason    text        NOT NULL DEFAULT '',
  transfer_outcome   text        NOT NULL DEFAULT '',
  transcript         text        NOT NULL DEFAULT '',
  summary            text        NOT NULL DEFAULT '',
  summary_settled    boolean     NOT NULL DEFAULT false,
  disposition        text        NOT NULL DEFAULT '',
  interest           text        NOT NULL DEFAULT '',
  follow_up_time     text        NOT NULL DEFAULT '',
  result_fields      text        NOT NULL DEFAULT '',
  answered_by        text        NOT NULL DEFAULT 'unknown',
  end_reason         text,
  end_initiator      text,
  end_layer          text,
  end_evidence       text,
  end_retryable      boolean,
  metadata           jsonb       NOT NULL DEFAULT '{}',
  event_head         bigint      NOT NULL DEFAULT 0
) WITH (fillfactor = 70);  -- Each step of a call updates its row: room for that on the same page.

-- An index holds no text of more than some 2,700 bytes; what is that long is no number that anybody looks for.
CREATE INDEX call_logs_newest ON call_logs (created_at, id);
CREATE INDEX call_logs_lead ON call_logs (lead_id, created_at);
CREATE INDEX call_logs_from ON call_logs (from_number, created_at) WHERE octet_length(from_number) <= 256;
CREATE INDEX call_logs_to ON call_logs (to_number, created_at) WHERE octet_length(to_number) <= 256;
CREATE INDEX call_logs_open ON call_logs (created_at, id) WHERE state NOT IN ('completed', 'failed');

-- What was said, an item per row; `id` keeps the order of first writing, which decides between equal positions.
CREATE TABLE transcript_items (
  id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id        text        COLLATE "C" NOT NULL REFERENCES call_logs (id),
  item_id        text        COLLATE "C" NOT NULL,
  position       bigint      NOT NULL,
  role           text        NOT NULL,
  status         text        NOT NULL,
  text_generated text        NOT NULL,
  text_heard     text        NOT NULL,
  generated_ms   bigint      NOT NULL,
  heard_ms       bigint      NOT NULL,
  heard_basis    text        NOT NULL,
  started_at     timestamptz,
  UNIQUE (call_id, item_id)
);

-- One undertaking to hand a caller to a human per row.
CREATE TABLE call_transfers (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id      text        COLLATE "C" NOT NULL REFERENCES call_logs (id),
  transfer_id  text        COLLATE "C" NOT NULL,
  destination  text        NOT NULL,
  number       text        NOT NULL,
  attempts     jsonb       NOT NULL DEFAULT '[]',
  reason       text        NOT NULL,
  requested_by text        NOT NULL,
  state        text        NOT NULL,
  outcome      text        NOT NULL,
  detail       text        NOT NULL,
  requested_at timestamptz,
  connected_at timestamptz,
  ended_at     timestamptz,
  UNIQUE (call_id, transfer_id)
);

-- Everything that happened. `position` is the id of the transaction that wrote it, shifted by 16 bits, plus a number
-- within that: readers of the log of all calls stop before the oldest transaction that still runs. Partitioned by the
-- day (UTC) on which it happened. That a call has no sequence twice is kept by call_logs.event_head, which every
-- writer moves under the row's lock: a unique key would have to hold the day.
CREATE TABLE call_events (
  position    bigint      NOT NULL,
  call_id     text        COLLATE "C" NOT NULL,
  sequence    bigint      NOT NULL,
  type        text        NOT NULL,
  occurred_at timestamptz NOT NULL,
  payload     jsonb       NOT NULL
) PARTITION BY RANGE (occurred_at);

CREATE INDEX call_events_call ON call_events (call_id, sequence);
CREATE INDEX call_events_position ON call_events (position);
CREATE TABLE call_events_default PARTITION OF call_events DEFAULT;

-- Makes the partition of a day, unless it is there, and moves what has happened on that day into it. False: it was
-- there.
CREATE FUNCTION callbridge_add_day(day date) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
DECLARE
  name_of_day text := 'call_events_' || to_char(day, 'YYYYMMDD');
  begins timestamptz := day::timestamp AT TIME ZONE 'UTC';
  ends timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  IF to_regclass(name_of_day) IS NOT NULL THEN
    RETURN false;
  END IF;
  -- One at a time; only who has this lock is sure to see what the one before made.
  LOCK TABLE call_events_default IN ACCESS EXCLUSIVE MODE;
  IF to_regclass(name_of_day) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE call_events INCLUDING ALL)', name_of_day);
  EXECUTE format('WITH moved AS (DELETE FROM call_events_default WHERE occurred_at >= $1 AND occurred_at < $2 RETURNING *) '
                 'INSERT INTO %I SELECT * FROM moved', name_of_day) USING begins, ends;
  EXECUTE format('ALTER TABLE call_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name_of_day, begins, ends);
  RETURN true;
END
$$;

-- Which request made which call, so that a repeated request dials once.
CREATE TABLE call_requests (
  principal   text        COLLATE "C" NOT NULL,
  request_id  text        COLLATE "C" NOT NULL,
  fingerprint text        NOT NULL,
  call_id     text        COLLATE "C" NOT NULL REFERENCES call_logs (id),
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (principal, request_id)
);

-- Calls that are over and wait for their summary.
CREATE TABLE summary_jobs (
  call_id    text        COLLATE "C" NOT NULL PRIMARY KEY REFERENCES call_logs (id),
  attempts   bigint      NOT NULL DEFAULT 0,
  due_at     timestamptz NOT NULL,
  last_error text        NOT NULL DEFAULT ''
);

CREATE INDEX summary_jobs_due ON summary_jobs (due_at, call_id);

-- Which process writes here: every write looks whether it still is the one. One row at most.
CREATE TABLE store_owner (
  id       smallint    NOT NULL PRIMARY KEY CHECK (id = 1),
  token    text        NOT NULL,
  taken_at timestamptz NOT NULL
);
