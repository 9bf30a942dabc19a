-- Several processes ("nodes") that share the database. Times here are the server's own, never a node's.

-- Which node has a call, and in which of its ownerships: whoever takes a call away raises the epoch, and every write of
-- the owner compares both. '' and 0: none. `stored_at` is when the row came here, which may be long after the call
-- began.
ALTER TABLE call_logs
  ADD COLUMN owner_node  text        COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN owner_epoch bigint      NOT NULL DEFAULT 0,
  ADD COLUMN stored_at   timestamptz NOT NULL DEFAULT now();

-- One row per start of a process. `found_dead`: it is gone because its lease ran out, and may come back.
CREATE TABLE nodes (
  id            text        COLLATE "C" NOT NULL PRIMARY KEY,
  address       text        COLLATE "C" NOT NULL,
  media_address text        NOT NULL,
  version       text        NOT NULL,
  state         text        NOT NULL,
  found_dead    boolean     NOT NULL DEFAULT false,
  live_calls    bigint      NOT NULL DEFAULT 0,
  max_calls     bigint      NOT NULL DEFAULT 0,
  started_at    timestamptz NOT NULL,
  renewed_at    timestamptz NOT NULL,
  lease_until   timestamptz NOT NULL
);

-- Which node answered for a call of the carrier first.
CREATE TABLE carrier_claims (
  carrier_call_id text        COLLATE "C" NOT NULL PRIMARY KEY,
  node_id         text        COLLATE "C" NOT NULL,
  claimed_at      timestamptz NOT NULL
);

CREATE INDEX carrier_claims_age ON carrier_claims (claimed_at);

-- Calls of dead nodes that the carrier is to be asked to hang up.
CREATE TABLE hangups (
  call_id         text        COLLATE "C" NOT NULL PRIMARY KEY,
  carrier_call_id text        NOT NULL,
  attempts        bigint      NOT NULL DEFAULT 0,
  due_at          timestamptz NOT NULL
);
