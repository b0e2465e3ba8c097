/** The tables of deliveries, as one step of the schema; safe to run again. */
export const DELIVERY_SCHEMA = `
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL,
  job_attempt INTEGER NOT NULL,
  url TEXT NOT NULL,
  format TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  created_at_ms INTEGER NOT NULL,
  next_attempt_at_ms INTEGER CHECK ((state = 'pending') = (next_attempt_at_ms IS NOT NULL)),
  retry_until_ms INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  settled_at_ms INTEGER CHECK ((state = 'pending') = (settled_at_ms IS NULL)),
  lease_until_ms INTEGER,
  lease_ms INTEGER,
  receipt TEXT,
  UNIQUE (job_id, job_attempt, url)
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (next_attempt_at_ms) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, id);
CREATE INDEX IF NOT EXISTS deliveries_settled ON deliveries (settled_at_ms) WHERE state <> 'pending';
CREATE TABLE IF NOT EXISTS delivery_attempts (
  delivery_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  status INTEGER,
  error_code TEXT,
  error_message TEXT,
  PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery_position (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  event_seq INTEGER NOT NULL
) STRICT;
`;
