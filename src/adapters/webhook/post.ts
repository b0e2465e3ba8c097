import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { HostAddress } from "./webhook-url.ts";

/** What a receiver answered; its body is of no interest. */
export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
}

/** What is posted, and where. */
export interface PostOptions {
  readonly url: URL;
  /** Where to connect to, whatever the name stands for by then; not empty. */
  readonly addresses: readonly HostAddress[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends the request, and the reading of the answer. */
  readonly signal: AbortSignal;
}

/** What is read of an answer's body, so that the receiver need not see its connection break. */
const MAX_BODY_BYTES = 64 * 1024;

/** Posts to one URL over a connection of its own; follows no redirect. Throws what node:http does. */
export async function postOnce(options: PostOptions): Promise<Answer> {
  const response = await exchange(options);
  const { statusCode: status = 0, headers } = response;
  await drain(response);
  return { status, location: headers.location, retryAfter: headers["retry-after"] };
}

function exchange({ url, addresses, headers, body, signal }: PostOptions): Promise<IncomingMessage> {
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const bytes = Buffer.from(body);
  return new Promise((settle, fail) => {
    const request = send(url, {
      method: "POST",
      headers: { ...headers, "content-length": String(bytes.length) },
      // Neither a connection that another request left open, nor a proxy of the environment.
      agent: false,
      lookup: pinnedLookup(addresses),
      signal,
    });
    request.on("response", settle);
    request.on("error", fail);
    request.end(bytes);
  });
}

/** Takes the place of the resolver, so that the name is not asked for again between the check and the connection. */
function pinnedLookup(addresses: readonly HostAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (first === undefined) callback(new Error("No address."), []);
    else if (options.all) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

async function drain(response: IncomingMessage): Promise<void> {
  let readBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      readBytes += chunk.length;
      if (readBytes > MAX_BODY_BYTES) break;
    }
  } catch {
    // The status is the answer; a body that breaks off, or never ends, takes nothing from it.
  } finally {
    response.destroy();
  }
}
