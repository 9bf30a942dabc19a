-- What was said, an item per row; `id` keeps the order of first writing, which decides between equal positions.
CREATE TABLE transcript_items (
  id             INTEGER PRIMARY KEY,
  call_id        TEXT    NOT NULL REFERENCES call_logs (id),
  item_id        TEXT    NOT NULL,
  position       INTEGER NOT NULL,
  role           TEXT    NOT NULL,
  status         TEXT    NOT NULL,
  text_generated TEXT    NOT NULL,
  text_heard     TEXT    NOT NULL,
  generated_ms   INTEGER NOT NULL,
  heard_ms       INTEGER NOT NULL,
  heard_basis    TEXT    NOT NULL,
  started_at     TEXT,
  UNIQUE (call_id, item_id)
) STRICT;

-- One attempt to hand a caller to a human per row.
CREATE TABLE call_transfers (
  id           INTEGER PRIMARY KEY,
  call_id      TEXT    NOT NULL REFERENCES call_logs (id),
  transfer_id  TEXT    NOT NULL,
  destination  TEXT    NOT NULL,
  number       TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  requested_by TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  detail       TEXT    NOT NULL,
  requested_at TEXT,
  connected_at TEXT,
  ended_at     TEXT,
  UNIQUE (call_id, transfer_id)
) STRICT;
