import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { z } from "zod";
import { describeIssue } from "../../base/describe-issue.ts";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";

/** An answer that is no error. */
export interface Answer {
  readonly description: string;
  /** Of the JSON body; undefined where there is none, or another type. */
  readonly schema?: z.ZodType;
  /** Where the body is not JSON. */
  readonly mediaType?: string;
}

/** What one path takes and answers; the server checks by it and the OpenAPI page is made of it. */
export interface RouteContract {
  readonly method: HTTPMethods & ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS");
  /** As OpenAPI writes it, with parameters in braces; `{key}` at the end takes slashes too. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly params?: z.ZodType;
  /** Undefined: no query is taken. */
  readonly query?: z.ZodType;
  /** Undefined: no JSON body is taken. */
  readonly body?: z.ZodType;
  /** Headers that matter, by their name in lower case, for the OpenAPI page. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By HTTP status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What may be refused, besides what every path may refuse. */
  readonly errors: readonly ErrorCode[];
  /** Whether no API key is needed. */
  readonly isOpen?: boolean;
  /** Whether the answer goes on for as long as the client listens. */
  readonly isStream?: boolean;
  /** Whether the body is not JSON and is read by the handler. */
  readonly isRaw?: boolean;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** What a handler gets, checked. */
export interface Input<Contract extends RouteContract> {
  readonly params: Parsed<Contract["params"]>;
  readonly query: Parsed<Contract["query"]>;
  readonly body: Parsed<Contract["body"]>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** No API key is needed. */
    readonly isOpen?: boolean;
    /** The answer goes on for as long as the client listens. */
    readonly isStream?: boolean;
    /** The body is read by the handler, with bounds of its own. */
    readonly isRaw?: boolean;
  }
}

const NO_QUERY = z.strictObject({});
/** Some clients send an empty object where nothing is asked for. */
const NO_BODY = z.union([z.undefined(), z.null(), z.strictObject({})]);

/** Serves a contract. */
export function serve<const Contract extends RouteContract>(
  app: FastifyInstance,
  contract: Contract,
  handle: (input: Input<Contract>) => unknown,
): void {
  const {
    method,
    params,
    query = NO_QUERY,
    body = NO_BODY,
    isOpen = false,
    isStream = false,
    isRaw = false,
  } = contract;
  app.route({
    method,
    url: contract.path.replace("{key}", "*").replaceAll(/\{(\w+)\}/g, ":$1"),
    // A HEAD would begin a stream that nobody takes.
    exposeHeadRoute: method === "GET" && !isStream && !isRaw,
    config: { isOpen, isStream, isRaw },
    handler: (request, reply) =>
      handle({
        params: params && check("path", params, request.params),
        query: check("query", query, request.query),
        body: isRaw ? undefined : check("body", body, request.body),
        request,
        reply,
      } as Input<Contract>),
  });
}

function check(where: "path" | "query" | "body", schema: z.ZodType, given: unknown): unknown {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${[where, ...issue.path].join(".")}: ${describeIssue(issue, given)}`,
  );
  throw new ReelmillError("REQUEST_INVALID", `The request does not fit. ${faults.slice(0, 20).join("; ")}.`);
}

/** A whole number in a query, which is text; `given` where it is left out. */
export function queryNumber(minimum: number, maximum: number, given: number): z.ZodType<number, string | undefined> {
  const text = z.string().regex(/^\d{1,15}$/, `must be a whole number from ${minimum} to ${maximum}`);
  return text
    .meta({ type: "integer", minimum, maximum, default: given })
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .default(given) as unknown as z.ZodType<number, string | undefined>;
}
