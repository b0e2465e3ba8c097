import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { ReelmillError } from "../../base/errors.ts";
import type { Sessions } from "./sessions.ts";

/** Decides who may do what. */
export interface Access {
  /** Throws REQUEST_INVALID, FORBIDDEN, UNAUTHORIZED. */
  check(request: FastifyRequest): void;
  /** Whether an API key is one of those allowed. */
  isKey(key: string): boolean;
  readonly isKeyNeeded: boolean;
  readonly sessions: Sessions;
}

/** What access is decided by. */
export interface AccessOptions {
  /** SHA-256 in hex; none: everyone may, who comes by a name of this machine. */
  readonly apiKeyHashes: readonly string[];
  /** Makes the sessions, which may have to know a key. */
  readonly createSessions: (isKey: (key: string) => boolean) => Sessions;
}

/** Says that a key was given, but a wrong one. */
export function keyRefused(): ReelmillError {
  return new ReelmillError("UNAUTHORIZED", "The API key is not one that is allowed.");
}

function keyNeeded(): ReelmillError {
  return new ReelmillError("UNAUTHORIZED", "An API key is needed: send it as X-Api-Key, or as Authorization: Bearer.");
}

/** Name of the cookie that stands for an API key. */
export const SESSION_COOKIE = "reelmill_session";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** Names that no DNS but this machine's own leads anywhere; all of 127.0.0.0/8 is its own (RFC 1122 §3.2.1.3). */
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const HASH = /^[0-9a-f]{64}$/i;

/** Access by the options. Throws CONFIG_INVALID for what is no SHA-256. */
export function createAccess({ apiKeyHashes, createSessions }: AccessOptions): Access {
  const hashes = apiKeyHashes.map((hash) => {
    if (!HASH.test(hash)) throw new ReelmillError("CONFIG_INVALID", "An API key's hash has to be a SHA-256 in hex.");
    return Buffer.from(hash, "hex");
  });
  const isKey = (key: string): boolean => {
    const given = createHash("sha256").update(key).digest();
    let isKnown = false;
    // All of them, so that the time taken does not tell which.
    for (const hash of hashes) isKnown = timingSafeEqual(hash, given) || isKnown;
    return isKnown;
  };
  const isKeyNeeded = hashes.length > 0;
  const sessions = createSessions(isKey);
  return {
    isKey,
    isKeyNeeded,
    sessions,
    check: (request) => {
      const { method, headers } = request.raw;
      // A name that somebody else's DNS leads to this machine must not open it to their pages.
      if (!isKeyNeeded) requireLoopbackHost(headers.host);
      if (!SAFE_METHODS.has(method ?? "")) requireSameSite(request);
      if (!isKeyNeeded || request.is404 || request.routeOptions.config.isOpen === true) return;
      const key = keyOf(request);
      const session = key === undefined ? sessionOf(request) : undefined;
      if (key !== undefined ? isKey(key) : session !== undefined && sessions.has(session)) return;
      throw key === undefined || key === "" ? keyNeeded() : keyRefused();
    },
  };
}

function requireLoopbackHost(host: string | undefined): void {
  if (host !== undefined && LOOPBACK_HOST.test(host)) return;
  throw new ReelmillError(
    "FORBIDDEN",
    "Without API keys, the server answers only to localhost, 127.0.0.1 and [::1]. Set an API key (REELMILL_API_KEY_SHA256): with one, the server may be reached by any name.",
  );
}

/** Browsers tell where a request comes from; other programs send neither header. */
function requireSameSite({ raw: { headers } }: FastifyRequest): void {
  const { origin, host } = headers;
  const site = headers["sec-fetch-site"];
  const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
  if (!isForeign && (origin === undefined || hostOf(origin) === host?.toLowerCase())) return;
  throw new ReelmillError("FORBIDDEN", "The request comes from another web site.");
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function keyOf({ raw: { headers } }: FastifyRequest): string | undefined {
  const key = headers["x-api-key"];
  if (typeof key === "string") return key;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
}

/** The session's id that a request's cookie holds. */
export function sessionOf({ raw: { headers } }: FastifyRequest): string | undefined {
  for (const pair of (headers.cookie ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === SESSION_COOKIE) return value;
  }
  return undefined;
}
