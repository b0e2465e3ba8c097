import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { requireObjectKey } from "../../jobs/object-key.ts";
import type { Loan, ObjectLender } from "../../jobs/object-lender.ts";

/** How loans of a local store are signed. */
export interface LocalLenderOptions {
  /** The path at the server that takes the requests, such as `/v1/lent`. */
  readonly path: string;
  /** At least 32 random bytes, in any form; loans are void once it changes. */
  readonly secret: string;
  readonly clock: Clock;
}

/** A loan as a request shows it, from outside. */
export interface ShownLoan {
  readonly method: string;
  readonly key: string;
  /** What may be written; undefined for what may be read. */
  readonly bytes: number | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly untilMs: number;
  readonly signature: string;
}

/** Lends objects by paths of the server, and knows its own again. */
export interface LocalObjectLender extends ObjectLender {
  /** Throws FORBIDDEN for what was not lent so, and for what has run out. */
  requireLent(shown: ShownLoan): void;
}

/** A lender whose loans are signed with HMAC-SHA256 over everything that they allow. */
export function createLocalObjectLender({ path, secret, clock }: LocalLenderOptions): LocalObjectLender {
  const sign = ({ method, key, bytes, untilMs }: Omit<ShownLoan, "signature">): Buffer =>
    createHmac("sha256", secret)
      .update(JSON.stringify([method, key, bytes ?? null, untilMs]))
      .digest();
  return {
    maxBytes: undefined,
    multipart: undefined,
    lend: async (loan) => {
      requireObjectKey(loan.key);
      const shown = { method: loan.method, key: loan.key, bytes: bytesOf(loan), untilMs: clock.nowMs() + loan.forMs };
      const query = new URLSearchParams({
        method: shown.method,
        key: shown.key,
        ...(shown.bytes === undefined ? {} : { bytes: String(shown.bytes) }),
        until: String(shown.untilMs),
        signature: sign(shown).toString("hex"),
      });
      return { url: `${path}?${query}`, headers: {} };
    },
    requireLent: (shown) => {
      const given = Buffer.from(shown.signature, "hex");
      const right = sign(shown);
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        throw new ReelmillError("FORBIDDEN", "The link is not one that this server gave out, or was changed.");
      }
      if (clock.nowMs() >= shown.untilMs) throw new ReelmillError("FORBIDDEN", "The link has run out.");
    },
  };
}

function bytesOf(loan: Loan): number | undefined {
  return loan.method === "PUT" ? loan.bytes : undefined;
}
