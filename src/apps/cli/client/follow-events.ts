import { ReelmillError } from "../../../base/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { type ApiClient, wrongAnswer } from "./api-client.ts";
import { parseEventStream, type StreamMessage, type StreamSign } from "./event-stream.ts";
import { pauseAfter } from "./pause-after.ts";

/** The server says something at least every 15 s; a connection that is silent for longer is dead. */
const IDLE_TIMEOUT_MS = 45_000;
/** Over a minute and a half in all, long enough for a server to be started again. */
const MAX_FAILURES = 12;
/** Whatever the server says. */
const LEAST_RETRY_MS = 500;
const MOST_RETRY_MS = 60_000;

/** How to follow. */
export interface FollowOptions {
  /** How long the stream may be silent, in milliseconds; default 45,000. */
  readonly idleTimeoutMs?: number;
  /** Called before each new attempt with what ended the one before. */
  readonly onReconnect?: (reason: ReelmillError) => void;
}

/**
 * The messages of an event stream, over as many connections as it takes: each begins behind the last id that was seen. A stream
 * that said when to come again, and ended, is asked for again then. Ends only with the caller. Throws SERVER_UNREACHABLE after a
 * dozen connections in a row that brought nothing, ABORTED, and at once whatever a new attempt would not change.
 */
export async function* followEvents(
  client: ApiClient,
  path: string,
  context: Pick<CliContext, "sleep">,
  options: FollowOptions = {},
): AsyncGenerator<StreamMessage, never, undefined> {
  let lastId: string | undefined;
  let failures = 0;
  for (;;) {
    let retryMs: number | undefined;
    let pauseMs: number;
    try {
      for await (const message of readOnce(client, path, lastId, options.idleTimeoutMs ?? IDLE_TIMEOUT_MS)) {
        lastId = message.id ?? lastId;
        retryMs = message.retryMs;
        if (message.event === null) continue;
        failures = 0;
        yield message;
      }
      if (retryMs === undefined) {
        throw new ReelmillError("SERVER_UNREACHABLE", `${client.server} ended the connection.`);
      }
      // All that there was, from a server that keeps no stream open.
      failures = 0;
      pauseMs = Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, retryMs));
    } catch (error) {
      if (!isPassing(error)) throw error;
      failures += 1;
      if (failures > MAX_FAILURES) throw error;
      options.onReconnect?.(error);
      pauseMs = pauseAfter(failures);
    }
    await context.sleep(pauseMs, client.signal);
    if (client.signal.aborted) throw new ReelmillError("ABORTED", "Cancelled.");
  }
}

/** Whether a new attempt may fare better. */
function isPassing(error: unknown): error is ReelmillError {
  return error instanceof ReelmillError && error.retryable && error.code !== "ABORTED";
}

async function* readOnce(
  client: ApiClient,
  path: string,
  lastId: string | undefined,
  idleTimeoutMs: number,
): AsyncGenerator<StreamMessage | StreamSign, void, undefined> {
  const idle = new AbortController();
  let timer = setTimeout(() => idle.abort(), idleTimeoutMs);
  const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
  try {
    const response = await client.open(path, { headers, signal: idle.signal });
    const { body } = response;
    if (body === null || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
      throw wrongAnswer(client.server, "it sent no event stream");
    }
    for await (const message of parseEventStream(body)) {
      clearTimeout(timer);
      timer = setTimeout(() => idle.abort(), idleTimeoutMs);
      yield message;
    }
  } catch (error) {
    throw translate(error, client, idle.signal);
  } finally {
    clearTimeout(timer);
    // Where the caller has heard enough, the connection is not left open.
    idle.abort();
  }
}

function translate(error: unknown, client: ApiClient, idle: AbortSignal): unknown {
  if (client.signal.aborted) return new ReelmillError("ABORTED", "Cancelled.", { cause: error });
  if (error instanceof ReelmillError && error.code !== "ABORTED") return error;
  if (error instanceof RangeError) return wrongAnswer(client.server, error.message);
  const what = idle.aborted ? "has been silent for too long" : "broke the connection";
  return new ReelmillError("SERVER_UNREACHABLE", `${client.server} ${what}.`, { cause: error });
}
