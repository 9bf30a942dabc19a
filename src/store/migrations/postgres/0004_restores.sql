-- What a restore took away, and where positions go on behind it. `base` is added to the ids of transactions in
-- positions; `cluster` names the server whose ids they are.
ALTER TABLE log_state
  ADD COLUMN base    bigint NOT NULL DEFAULT 0,
  ADD COLUMN cluster text   NOT NULL DEFAULT '';

-- Positions between these two, without them, belonged to events that a restore has taken away.
CREATE TABLE lost_positions (
  after_position  bigint      NOT NULL PRIMARY KEY,
  before_position bigint      NOT NULL,
  noted_at        timestamptz NOT NULL
);

-- The database is as it once was: positions behind its last one may have been given out. Later ones begin so far above
-- that they meet none of those, 2^32 transactions.
CREATE FUNCTION callbridge_note_restored() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  head bigint;
  xid bigint;
  next_base bigint;
BEGIN
  -- Whoever writes events with the base of before must be done, as readers go by the new one.
  LOCK TABLE call_events IN SHARE ROW EXCLUSIVE MODE;
  SELECT greatest(purged_through, (SELECT coalesce(max(position), 0) FROM call_events)),
         pg_current_xact_id()::text::bigint, base INTO head, xid, next_base FROM log_state FOR UPDATE;
  next_base := greatest(next_base, (head >> 16) - xid) + (1::bigint << 32);
  INSERT INTO lost_positions VALUES (head, (xid + next_base) << 16, now())
    ON CONFLICT (after_position) DO UPDATE SET before_position = excluded.before_position, noted_at = excluded.noted_at;
  UPDATE log_state SET base = next_base;
END
$$;

-- Notes a restore where the server itself shows it: it or the database is another one, it goes on from an earlier point
-- than it was at (which starts a new timeline, as a failover does), or its transactions are not where the log is. True:
-- it was noted.
CREATE FUNCTION callbridge_notice_restore() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  here text;
  known text;
  rewound boolean;
BEGIN
  here := (SELECT oid FROM pg_database WHERE datname = current_database()) || '.'
          || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  BEGIN
    here := (SELECT system_identifier FROM pg_control_system()) || '.' || here;
  EXCEPTION WHEN insufficient_privilege THEN
    NULL;
  END;
  SELECT cluster, (SELECT coalesce(max(position), 0) FROM call_events) >> 16
                  > base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    INTO known, rewound FROM log_state;
  IF known = here AND NOT rewound THEN
    RETURN false;
  END IF;
  SELECT cluster INTO known FROM log_state FOR UPDATE;
  IF known = here AND NOT rewound THEN
    RETURN false;
  END IF;
  IF known <> '' OR rewound THEN
    PERFORM callbridge_note_restored();
  END IF;
  UPDATE log_state SET cluster = here;
  RETURN known <> '' OR rewound;
END
$$;
