import { DELIVERY_SCHEMA } from "./delivery-schema.ts";

const JOBS_AND_QUEUES = `
CREATE TABLE jobs (
  -- Older jobs have lower ranks; their tasks go first.
  rank INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  params TEXT NOT NULL,
  status TEXT NOT NULL,
  stage TEXT NOT NULL,
  priority INTEGER NOT NULL,
  total INTEGER NOT NULL,
  succeeded INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  total_weight REAL NOT NULL,
  done_weight REAL NOT NULL,
  idempotency_key TEXT,
  parent_job_id TEXT,
  attempt INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  finished_at_ms INTEGER,
  updated_at_ms INTEGER NOT NULL,
  error TEXT,
  result TEXT,
  webhook TEXT,
  change_seq INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_change ON jobs (change_seq);
CREATE INDEX jobs_by_status ON jobs (status, id);
CREATE INDEX jobs_by_pipeline ON jobs (pipeline, id);
CREATE INDEX jobs_by_parent ON jobs (parent_job_id, id) WHERE parent_job_id IS NOT NULL;
CREATE INDEX jobs_by_end ON jobs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;

CREATE TABLE tasks (
  job_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  idx INTEGER NOT NULL,
  label TEXT NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  -- Workers in a row that ended in the middle of it.
  losses INTEGER NOT NULL,
  input TEXT NOT NULL,
  output TEXT,
  error TEXT,
  progress REAL NOT NULL,
  phase TEXT NOT NULL,
  checkpoint TEXT,
  weight REAL NOT NULL,
  started_at_ms INTEGER,
  finished_at_ms INTEGER,
  PRIMARY KEY (job_id, stage, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_job ON events (job_id, seq);

-- In the order in which they are received. A message is due when visible_at_ms has come; until then it waits, or somebody holds
-- its lease.
CREATE TABLE messages (
  queue TEXT NOT NULL,
  -- Minus the priority.
  urgency INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  id INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  idx INTEGER NOT NULL,
  sent_at_ms INTEGER NOT NULL,
  visible_at_ms INTEGER NOT NULL,
  receive_count INTEGER NOT NULL,
  receipt INTEGER NOT NULL,
  owner TEXT,
  PRIMARY KEY (queue, urgency, rank, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_held ON messages (queue, visible_at_ms) WHERE owner IS NOT NULL;

CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  job_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  idx INTEGER NOT NULL,
  receive_count INTEGER NOT NULL,
  sent_at_ms INTEGER NOT NULL,
  dead_at_ms INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_queue ON dead_letters (queue, id);
CREATE INDEX dead_letters_by_task ON dead_letters (job_id, stage, idx);

CREATE TABLE queues (name TEXT PRIMARY KEY, is_paused INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL,
  job_id TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at_ms);

CREATE TABLE sequence (value INTEGER NOT NULL) STRICT;
INSERT INTO sequence VALUES (0);
`;

const TRACES = "ALTER TABLE jobs ADD COLUMN traceparent TEXT;";

/** The schema, step by step; a database's version is the number of steps that were applied to it. A step is never changed. */
export const MIGRATIONS: readonly string[] = [JOBS_AND_QUEUES, DELIVERY_SCHEMA, TRACES];
