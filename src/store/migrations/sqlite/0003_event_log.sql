-- Everything that happened, in the order in which it was committed. AUTOINCREMENT: a position is never used twice.
CREATE TABLE call_events (
  position    INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id     TEXT    NOT NULL REFERENCES call_logs (id),
  sequence    INTEGER NOT NULL,
  type        TEXT    NOT NULL,
  occurred_at TEXT    NOT NULL,
  payload     TEXT    NOT NULL,
  UNIQUE (call_id, sequence)
) STRICT;

-- Which request made which call, so that a repeated request dials once.
CREATE TABLE call_requests (
  principal   TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  call_id     TEXT NOT NULL REFERENCES call_logs (id),
  created_at  TEXT NOT NULL,
  PRIMARY KEY (principal, request_id)
) STRICT;
