import type { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";
import { systemCodeOf } from "../../../base/system-code.ts";
import { readProblem } from "./problem.ts";

const TIDYING_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 30_000;
/** More than the result of a job with a thousand files takes. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** Where and how to speak with a server. */
export interface ApiClientOptions {
  /** Address without a slash at its end. */
  readonly server: string;
  readonly apiKey: string | undefined;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
  /** How long an answer may take to begin, and a short one to end; default 30 s. */
  readonly timeoutMs?: number;
}

/** One request; the path begins with a slash and is escaped already. */
export interface ApiRequest {
  /** Default GET. */
  readonly method?: "GET" | "POST" | "PATCH" | "HEAD" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Ends this request besides the client's own signal. */
  readonly signal?: AbortSignal;
  /** Whether the answer may be where the server points to (307), which is asked without the API key. */
  readonly mayPointElsewhere?: boolean;
}

/** An answer as it came, and the part of it that this version knows. */
export interface Answer<Value> {
  readonly raw: Json;
  readonly value: Value;
}

/** Speaks with one server. All throw SERVER_UNREACHABLE, SERVER_ANSWER_INVALID, ABORTED, and the code of a refusal. */
export interface ApiClient {
  readonly server: string;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
  /** Asks and reads the answer, which has to fit the schema. */
  ask<Schema extends z.ZodType>(path: string, schema: Schema, request?: ApiRequest): Promise<Answer<z.output<Schema>>>;
  /** Asks for something that has no answer to read. */
  tell(path: string, request: ApiRequest): Promise<Headers>;
  /** Asks and hands out the answer's body unread; it has no bound on its time once begun. Refusals are thrown. */
  open(path: string, request?: ApiRequest): Promise<Response>;
  /**
   * The path of an address that the server gave. Of its host nothing is taken: behind a proxy a server may not know its own
   * name, and nothing is to be sent to another one.
   */
  pathOf(location: string, relativeTo: string): string;
  /** A client for the same server that `signal` does not end, for tidying up; all that it does has to end within 10 s. */
  forTidying(): ApiClient;
}

/** A client for the server given; connects to nothing yet. */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const { server, apiKey, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const send = async <Result>(
    path: string,
    request: ApiRequest,
    take: (response: Response) => Promise<Result>,
  ): Promise<Result> => {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), timeoutMs);
    const signals = [signal, timeout.signal, ...(request.signal === undefined ? [] : [request.signal])];
    try {
      const either = AbortSignal.any(signals);
      const response = await fetch(`${server}${path}`, {
        method: request.method ?? "GET",
        headers: { ...request.headers, ...(apiKey === undefined ? {} : { "x-api-key": apiKey }) },
        ...(request.body === undefined ? {} : { body: request.body }),
        // A redirect could lead the key to somebody else.
        redirect: "manual",
        signal: either,
      });
      if (response.status === 307 && request.mayPointElsewhere === true) {
        return await take(await followPointer(response, request.headers ?? {}, server, either));
      }
      if (response.status >= 400) {
        const body = await readText(response, server);
        throw readProblem({ status: response.status, body, hadKey: apiKey !== undefined });
      }
      if (response.status >= 300) throw wrongAnswer(server, `it points elsewhere (status ${response.status})`);
      return await take(response);
    } catch (error) {
      const isLate = timeout.signal.aborted;
      throw translate(error, server, [signal, request.signal], isLate ? timeoutMs : undefined);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    server,
    signal,
    open: (path, request = {}) => send(path, request, async (response) => response),
    tell: (path, request) =>
      send(path, request, async (response) => {
        await readText(response, server);
        return response.headers;
      }),
    ask: (path, schema, request = {}) =>
      send(path, { ...request, headers: { accept: "application/json", ...request.headers } }, async (response) =>
        parseAnswer(await readText(response, server), schema, server),
      ),
    pathOf: (location, relativeTo) => {
      const url = URL.parse(location, `${server}${relativeTo}`);
      if (url === null) throw wrongAnswer(server, "it points to something that is no address");
      const { pathname: prefix } = new URL(`${server}/`);
      const path = url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length - 1) : url.pathname;
      return `${path}${url.search}`;
    },
    forTidying: () => createApiClient({ ...options, signal: AbortSignal.timeout(TIDYING_MS) }),
  };
}

/** Asks for what a server pointed to, in its store. Throws SERVER_ANSWER_INVALID; SERVER_UNREACHABLE where the store refuses. */
async function followPointer(
  pointer: Response,
  headers: Readonly<Record<string, string>>,
  server: string,
  signal: AbortSignal,
): Promise<Response> {
  await pointer.body?.cancel();
  const url = URL.parse(pointer.headers.get("location") ?? "");
  if (url === null || !/^https?:$/.test(url.protocol))
    throw wrongAnswer(server, "it points to something that is no address");
  const store = `The store that ${server} points to (${url.origin})`;
  let response: Response;
  try {
    response = await fetch(url, { headers, redirect: "error", signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ReelmillError("SERVER_UNREACHABLE", `${store} cannot be reached.`, { cause: error });
  }
  if (response.status < 300) return response;
  await response.body?.cancel();
  throw new ReelmillError("SERVER_UNREACHABLE", `${store} refuses (status ${response.status}).`);
}

/** Says that the server's answer is not as agreed. */
export function wrongAnswer(server: string, what: string): ReelmillError {
  return new ReelmillError("SERVER_ANSWER_INVALID", `${server} does not answer as a Reelmill server does: ${what}.`);
}

async function readText(response: Response, server: string): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw wrongAnswer(server, "its answer has no end");
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  return parts.join("") + decoder.decode();
}

function parseAnswer<Schema extends z.ZodType>(text: string, schema: Schema, server: string): Answer<z.output<Schema>> {
  let raw: Json;
  try {
    raw = JSON.parse(text);
  } catch {
    throw wrongAnswer(server, text.trimStart().startsWith("<") ? "it sent a web page" : "its JSON cannot be read");
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { raw, value: parsed.data };
  const [issue] = parsed.error.issues;
  throw wrongAnswer(server, `${issue?.path.join(".") || "its answer"}: ${issue?.message ?? "not as expected"}`);
}

function translate(
  error: unknown,
  server: string,
  signals: readonly (AbortSignal | undefined)[],
  timeoutMs: number | undefined,
): unknown {
  if (signals.some((signal) => signal?.aborted)) return new ReelmillError("ABORTED", "Cancelled.", { cause: error });
  if (error instanceof ReelmillError) return error;
  if (timeoutMs !== undefined) {
    const message = `The server at ${server} did not answer within ${timeoutMs / 1000} s.`;
    return new ReelmillError("SERVER_UNREACHABLE", message, { cause: error });
  }
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && cause.message === "bad port") {
    // The ports of other protocols (WHATWG Fetch, "bad port").
    const message = `No web request is sent to port ${new URL(server).port}: it belongs to another protocol. Let the server listen at another one.`;
    return new ReelmillError("USAGE", message, { cause: error });
  }
  const reason = systemCodeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  const message =
    reason === "ECONNREFUSED"
      ? `No server answers at ${server}. Start one with \`reelmill up\`, or name another with --server.`
      : `The connection to ${server} failed (${reason}). \`reelmill up\` starts a server on this machine.`;
  return new ReelmillError("SERVER_UNREACHABLE", message, { cause: error });
}
