-- Which node has a call, and in which of its ownerships; '' and 0: none. One process has this file alone, so that nobody
-- else takes a call away; the columns are those of the other store.
ALTER TABLE call_logs ADD COLUMN owner_node TEXT NOT NULL DEFAULT '';
ALTER TABLE call_logs ADD COLUMN owner_epoch INTEGER NOT NULL DEFAULT 0;
