import { type IncomingHttpHeaders, request } from "node:http";
import { ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { LambdaFunction } from "./functions.ts";

/*
 * The side of Lambda's Runtime API that an image brings itself (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): ask for the next call, answer
 * it, ask again. The official client is a native build, and does no more than this.
 */

const VERSION = "2018-06-01";
/** What is left for putting back what is under way. */
const MARGIN_MS = 3000;

/** Where Lambda listens, as `AWS_LAMBDA_RUNTIME_API` has it: host and port. */
export interface Runtime {
  readonly address: string;
  readonly log: Logger;
  /** Ends the loop once a call is answered; Lambda itself just kills the process. */
  readonly signal: AbortSignal;
}

interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers calls until the signal is given. Throws where Lambda does not answer. */
export async function serveCalls(handle: LambdaFunction, { address, log, signal }: Runtime): Promise<void> {
  while (!signal.aborted) {
    const next = await ask(address, "GET", "invocation/next", undefined, signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (next === undefined) return;
    const id = String(next.headers["lambda-runtime-aws-request-id"]);
    const deadlineMs = Number(next.headers["lambda-runtime-deadline-ms"]);
    const own = log.child({ request_id: id });
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), Math.max(0, deadlineMs - Date.now() - MARGIN_MS));
    try {
      const answer = await handle(JSON.parse(next.body), { signal: ending.signal, deadlineMs });
      await ask(address, "POST", `invocation/${id}/response`, JSON.stringify(answer ?? null));
    } catch (error) {
      own.error("The call failed.", { error });
      await ask(address, "POST", `invocation/${id}/error`, JSON.stringify(describe(error)));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Tells Lambda that the function cannot be begun at all. */
export async function tellInitError(error: unknown, address: string): Promise<void> {
  await ask(address, "POST", "init/error", JSON.stringify(describe(error)));
}

/** As state machines and logs are told: by the code, where there is one. */
function describe(error: unknown): { readonly errorType: string; readonly errorMessage: string } {
  if (error instanceof ReelmillError) return { errorType: error.code, errorMessage: error.message };
  if (error instanceof Error) return { errorType: error.name, errorMessage: error.message };
  return { errorType: "INTERNAL", errorMessage: "Something was thrown that is no error." };
}

/** Without a time-out: the next call may be hours away, while the process is frozen. */
async function ask(
  address: string,
  method: "GET" | "POST",
  path: string,
  body?: string,
  signal?: AbortSignal,
): Promise<Exchange> {
  const url = `http://${address}/${VERSION}/runtime/${path}`;
  const exchange = await new Promise<Exchange>((resolve, reject) => {
    const asked = request(url, { method, ...(signal === undefined ? {} : { signal }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
  if (exchange.status >= 200 && exchange.status < 300) return exchange;
  throw new ReelmillError("STORE_UNAVAILABLE", `Lambda answered ${path} with the status ${exchange.status}.`);
}
