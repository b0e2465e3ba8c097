import type { Json } from "../base/json.ts";

/** Which of a job's log lines are wanted: the last ones, up to `limit`, of a time in milliseconds since 1970-01-01T00:00:00Z, both ends included. */
export interface LogQuery {
  readonly jobId: string;
  readonly limit: number;
  readonly fromMs: number;
  /** Undefined: up to now. */
  readonly untilMs: number | undefined;
}

/** Gives a job's log lines, whichever component wrote them. */
export interface LogReader {
  /** Oldest first. Each has `timestamp` (RFC 3339, UTC), `level` and `message`. Throws STORE_UNAVAILABLE, STORE_REFUSED. */
  read(query: LogQuery): Promise<readonly Json[]>;
  /** A line is there no later than so long after it was written; 0 where it is at once. */
  readonly delayMs: number;
}
