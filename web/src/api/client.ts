import { ApiError } from "./api-error.ts";
import type { Json } from "./types.ts";

/** What a request carries besides its method and path. */
export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Sent with the cookie alone: the answer may lead to the server's store, which the key is not for. */
  readonly isOfObject?: boolean;
}

/** What the client takes from its surroundings. */
export interface ClientOptions {
  /** The API key that the user gave; null where none. */
  readonly readKey: () => string | null;
  /** Called when the server asks for a key. */
  readonly onUnauthorized: () => void;
}

/** Sends one request; throws an ApiError where the answer is not a success. */
export type SendRequest = (method: string, path: string, options?: RequestOptions) => Promise<Response>;

/** Headers that carry the API key; none where there is no key. */
export function authHeaders(key: string | null): Readonly<Record<string, string>> {
  return key === null ? {} : { "X-Api-Key": key };
}

/** Creates the one way in which the dashboard talks to the server. */
export function createClient(options: ClientOptions): SendRequest {
  return async (method, path, { body, headers, signal, isOfObject } = {}) => {
    const init: RequestInit = {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...authHeaders(isOfObject === true ? null : options.readKey()),
        ...headers,
      },
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = await reach(path, init);
    if (response.ok) return response;
    const error = await readProblem(response);
    // The key dialog itself asks here: a wrong key there is told in the dialog.
    if (response.status === 401 && path !== "/v1/session") options.onUnauthorized();
    throw error;
  };
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ApiError("NETWORK", 0, "The server cannot be reached. Is it running?", { cause: error });
  }
}

async function readProblem(response: Response): Promise<ApiError> {
  const fallback = `HTTP_${response.status}`;
  let problem: Json;
  try {
    problem = (await response.json()) as Json;
  } catch {
    // Not from Reelmill, such as a proxy's page: the status is all there is to tell.
    problem = null;
  }
  const fields = typeof problem === "object" && problem !== null && !Array.isArray(problem) ? problem : {};
  const { code, detail, title } = fields as Readonly<Record<string, Json>>;
  const message = [detail, title].find((text) => typeof text === "string" && text !== "");
  return new ApiError(
    typeof code === "string" ? code : fallback,
    response.status,
    typeof message === "string" ? message : `The server answered with status ${response.status}.`,
  );
}
