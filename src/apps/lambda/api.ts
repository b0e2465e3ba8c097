import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import { PROBLEM_TYPE, toProblem } from "../server/problem.ts";
import { MAX_ANSWER_BYTES } from "./max-answer.ts";
import { parseEvent } from "./parse-event.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** A request as API Gateway tells of it (HTTP API, payload format 2.0). */
const REQUEST = z.object({
  version: z.literal("2.0"),
  rawPath: z.string().startsWith("/"),
  rawQueryString: z.string().default(""),
  headers: z.record(z.string(), z.string()).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().default(""),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({ http: z.object({ method: z.enum(METHODS), sourceIp: z.string() }) }),
});

type ApiRequest = z.output<typeof REQUEST>;

/** What API Gateway is answered; the body always in Base64, so that it is sent byte by byte. */
export interface ApiAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: string;
  readonly isBase64Encoded: true;
}

/** Of one connection, or set by API Gateway itself. */
const OWN_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "set-cookie"]);
const UPLOADS = "/v1/uploads";

/** Serves API Gateway's events by the app that a server runs. Throws REQUEST_INVALID for what is none. */
export function createApi(app: FastifyInstance): (event: unknown) => Promise<ApiAnswer> {
  return async (event) => {
    const request = parseEvent(REQUEST, event);
    const path = encodePath(request.rawPath);
    try {
      if (path === UPLOADS || path.startsWith(`${UPLOADS}/`)) throw noUploads();
      const answered = await app.inject(toInject(request, path));
      requireSmall(answered.rawPayload.byteLength);
      return toAnswer(answered);
    } catch (error) {
      if (!(error instanceof ReelmillError)) throw error;
      const problem = toProblem(error, path);
      const headers = { "content-type": PROBLEM_TYPE, "cache-control": "no-store" };
      return { statusCode: problem.status, headers, cookies: [], ...encodeBody(Buffer.from(JSON.stringify(problem))) };
    }
  };
}

/** API Gateway may tell a path decoded: what cannot stand in one is encoded again, what is encoded stays. */
function encodePath(path: string): string {
  return path.replaceAll(/%(?![0-9a-f]{2})|[^!$%&'()*+,./0-9:;=@A-Z_a-z~[\]-]/giu, encodeURIComponent);
}

function toInject(
  { rawQueryString, headers, cookies, body, isBase64Encoded, requestContext }: ApiRequest,
  path: string,
) {
  const { method, sourceIp } = requestContext.http;
  const cookie = cookies.length === 0 ? {} : { cookie: cookies.join("; ") };
  const asked: InjectOptions = {
    method,
    url: rawQueryString === "" ? path : `${path}?${rawQueryString}`,
    headers: { ...headers, ...cookie },
    remoteAddress: sourceIp,
  };
  return body === "" ? asked : { ...asked, payload: Buffer.from(body, isBase64Encoded ? "base64" : "utf8") };
}

function toAnswer({ statusCode, headers, rawPayload }: LightMyRequestResponse): ApiAnswer {
  const told = Object.entries(headers)
    .filter(([name, value]) => value !== undefined && !OWN_HEADERS.has(name))
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)] as const);
  const cookies = [headers["set-cookie"] ?? []].flat();
  return { statusCode, headers: Object.fromEntries(told), cookies, ...encodeBody(rawPayload) };
}

function encodeBody(bytes: Buffer): Pick<ApiAnswer, "body" | "isBase64Encoded"> {
  return { body: bytes.toString("base64"), isBase64Encoded: true };
}

function requireSmall(bytes: number): void {
  if (bytes <= MAX_ANSWER_BYTES) return;
  throw new ReelmillError(
    "ANSWER_TOO_LARGE",
    `The answer has ${bytes} bytes; ${MAX_ANSWER_BYTES} can be given at once.`,
    { advice: "Ask for a smaller part of it." },
  );
}

/** Their parts would lie on the disk of one instance, of which the next request knows nothing. */
function noUploads(): ReelmillError {
  return new ReelmillError("FORBIDDEN", "Uploads by tus are not taken here.", {
    advice: "Ask POST /upload-url for links into the bucket; an object of a few megabytes can be put to /v1/objects.",
  });
}
