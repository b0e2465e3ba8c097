/** What the server puts up with. */
export interface ServerLimits {
  /** Of a JSON body. */
  readonly bodyBytes: number;
  /** Of one upload; tus names it `Tus-Max-Size`. */
  readonly uploadBytes: number;
  /** Whether uploads by tus are taken; where not, a file goes to the store by links of `POST /upload-url`. */
  readonly takesParts: boolean;
  /** Of an object that is sent in one answer; for more than that the answer leads into the store. Null: there is no bound. */
  readonly sentBytes: number | null;
  /** Of the request line and headers together. */
  readonly headerBytes: number;
  /** Of the path and query, in characters. */
  readonly urlLength: number;
  /** Requests of one client within a minute that may change something; null: as many as it likes. */
  readonly writesPerMinute: number | null;
  /** From a connection's first byte to the end of the request's headers. */
  readonly headerTimeoutMs: number;
  /** From there to the end of a body, uploads aside. */
  readonly bodyTimeoutMs: number;
  /** Longest silence in the middle of an upload. */
  readonly uploadSilenceMs: number;
  /** How long an upload that is not finished waits for its client. */
  readonly uploadKeepMs: number;
  /** Whether the process lives on between requests. Else streams of events end, having told what is new, and cookies carry sessions. */
  readonly livesOn: boolean;
  /** Streams of events at a time. */
  readonly listeners: number;
  /** A listener that takes nothing for so long is dropped. */
  readonly listenerStallMs: number;
  /** How long requests under way may go on once the server is being stopped. */
  readonly closeGraceMs: number;
}

/** Generous for one machine and a handful of users. */
export const DEFAULT_LIMITS: ServerLimits = {
  bodyBytes: 1024 * 1024,
  uploadBytes: 1024 ** 4,
  takesParts: true,
  sentBytes: null,
  headerBytes: 16 * 1024,
  urlLength: 8192,
  writesPerMinute: null,
  headerTimeoutMs: 15_000,
  bodyTimeoutMs: 30_000,
  uploadSilenceMs: 60_000,
  uploadKeepMs: 24 * 3600_000,
  livesOn: true,
  listeners: 4096,
  listenerStallMs: 60_000,
  closeGraceMs: 5000,
};
