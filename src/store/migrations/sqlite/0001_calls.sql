-- A person, by phone number. CRM reports read these names.
CREATE TABLE leads (
  id                   TEXT    NOT NULL PRIMARY KEY,
  phone                TEXT    NOT NULL UNIQUE,
  name                 TEXT    NOT NULL DEFAULT '',
  call_status          TEXT    NOT NULL DEFAULT 'new',
  transferred_to_human INTEGER NOT NULL DEFAULT 0 CHECK (transferred_to_human IN (0, 1)),
  last_call_id         TEXT    NOT NULL DEFAULT '',
  created_at           TEXT    NOT NULL,
  updated_at           TEXT    NOT NULL
) STRICT;

-- One row per call. CRM reports read these names.
CREATE TABLE call_logs (
  id                 TEXT    NOT NULL PRIMARY KEY,
  direction          TEXT    NOT NULL,
  from_number        TEXT    NOT NULL,
  to_number          TEXT    NOT NULL,
  agent              TEXT    NOT NULL,
  lead_id            TEXT    REFERENCES leads (id),
  status             TEXT    NOT NULL DEFAULT 'called',
  state              TEXT    NOT NULL,
  carrier_call_id    TEXT    NOT NULL DEFAULT '',
  carrier_request_id TEXT    NOT NULL DEFAULT '',
  model_session_id   TEXT    NOT NULL DEFAULT '',
  created_at         TEXT    NOT NULL,
  answered_at        TEXT,
  ended_at           TEXT,
  duration           INTEGER NOT NULL DEFAULT 0,
  transferred        INTEGER NOT NULL DEFAULT 0 CHECK (transferred IN (0, 1)),
  transfer_reason    TEXT    NOT NULL DEFAULT '',
  transfer_outcome   TEXT    NOT NULL DEFAULT '',
  transcript         TEXT    NOT NULL DEFAULT '',
  summary            TEXT    NOT NULL DEFAULT '',
  end_reason         TEXT,
  end_initiator      TEXT,
  end_layer          TEXT,
  end_evidence       TEXT,
  end_retryable      INTEGER CHECK (end_retryable IN (0, 1)),
  metadata           TEXT    NOT NULL DEFAULT '{}',
  event_head         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX call_logs_newest ON call_logs (created_at, id);
CREATE INDEX call_logs_lead ON call_logs (lead_id, created_at);
CREATE INDEX call_logs_from ON call_logs (from_number, created_at);
CREATE INDEX call_logs_to ON call_logs (to_number, created_at);
CREATE INDEX call_logs_open ON call_logs (state) WHERE state NOT IN ('completed', 'failed');
