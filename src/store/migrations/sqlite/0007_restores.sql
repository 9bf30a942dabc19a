-- Set in copies that `callbridge backup` makes: whoever serves from one serves from a restored database.
ALTER TABLE log_state ADD COLUMN is_backup INTEGER NOT NULL DEFAULT 0 CHECK (is_backup IN (0, 1));

-- Positions between these two, without them, belonged to events that a restore has taken away.
CREATE TABLE lost_positions (
  after_position  INTEGER NOT NULL PRIMARY KEY,
  before_position INTEGER NOT NULL,
  noted_at        TEXT    NOT NULL
) STRICT;
