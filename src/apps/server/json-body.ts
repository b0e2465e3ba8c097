import type { FastifyRequest } from "fastify";
import { ReelmillError } from "../../base/errors.ts";

/** Deeper than any request there is; a reader that descends into itself would end on a million brackets. */
const MAX_DEPTH = 64;
/** A name that may come to `__proto__`; the full look takes several times as long. */
const PROTOTYPE = /"(_|\\u005f){2}proto/i;

/** Parses a JSON body; an empty one is none. Gives REQUEST_INVALID to `done`. */
export function parseJsonBody(
  _request: FastifyRequest,
  text: string | Buffer,
  done: (error: Error | null, body?: unknown) => void,
): void {
  try {
    done(null, text.length === 0 ? undefined : parse(String(text)));
  } catch (error) {
    done(error as Error);
  }
}

function parse(text: string): unknown {
  requireShallow(text);
  try {
    return PROTOTYPE.test(text) ? JSON.parse(text, refusePrototype) : JSON.parse(text);
  } catch (error) {
    if (error instanceof ReelmillError) throw error;
    throw new ReelmillError("REQUEST_INVALID", `The body is no JSON: ${(error as Error).message}.`, { cause: error });
  }
}

function refusePrototype(name: string, value: unknown): unknown {
  if (name !== "__proto__") return value;
  throw new ReelmillError("REQUEST_INVALID", `The body has a field named "${name}".`);
}

function requireShallow(text: string): void {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (isText) {
      // A backslash takes the next character with it.
      if (character === 0x5c) at += 1;
      else isText = character !== 0x22;
    } else if (character === 0x22) {
      isText = true;
    } else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) throw new ReelmillError("REQUEST_INVALID", `The body is nested deeper than ${MAX_DEPTH}.`);
    } else if (character === 0x5d || character === 0x7d) {
      depth -= 1;
    }
  }
}
