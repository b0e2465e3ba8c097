import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";

/** Who has shown an API key before, and holds a cookie since. */
export interface Sessions {
  /** Gives the id of a new session of whoever has shown that key, and when it ends; null: with the browser's own session. */
  open(apiKey: string): { readonly id: string; readonly expiresAtMs: number | null };
  has(id: string): boolean;
  close(id: string): void;
}

const KEEP_MS = 12 * 3600_000;
/** More would only be somebody's game; the oldest makes room. */
const MAX_SESSIONS = 1000;

/** Sessions of this process: they end with it. */
export function createSessions(clock: Clock): Sessions {
  // By digest: how long a look-up takes then tells nothing of the ids.
  const expiries = new Map<string, number>();
  const digest = (id: string): string => createHash("sha256").update(id).digest("base64");
  return {
    open: () => {
      const nowMs = clock.nowMs();
      for (const [name, expiresAtMs] of expiries) {
        if (expiresAtMs <= nowMs || expiries.size >= MAX_SESSIONS) expiries.delete(name);
      }
      const id = randomBytes(32).toString("base64url");
      const expiresAtMs = nowMs + KEEP_MS;
      expiries.set(digest(id), expiresAtMs);
      return { id, expiresAtMs };
    },
    has: (id) => (expiries.get(digest(id)) ?? 0) > clock.nowMs(),
    close: (id) => {
      expiries.delete(digest(id));
    },
  };
}

/**
 * Sessions that no process remembers: the cookie carries the key itself, which scripts of a page cannot read there. They end with the key, or with the
 * browser's own session, which lasts on where a browser opens its tabs again; closing one has the browser forget it. An id signed by what the server
 * knows of the key, its hash, could be made by all who may read the server's settings.
 */
export function createCarriedSessions(isKey: (key: string) => boolean): Sessions {
  return {
    // Without an end of its own, browsers keep it only where they open the tabs of the last time again.
    open: (apiKey) => ({ id: Buffer.from(apiKey, "utf8").toString("base64url"), expiresAtMs: null }),
    has: (id) => isKey(Buffer.from(id, "base64url").toString("utf8")),
    close: () => undefined,
  };
}
