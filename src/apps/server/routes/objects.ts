import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import { requireKeyPrefix, requireObjectKey } from "../../../jobs/object-key.ts";
import type { ShownAs } from "../../../jobs/object-lender.ts";
import { queryNumber, type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import { parseObjectPath } from "../object-path.ts";
import { requireObject, sendObject } from "../send-object.ts";
import { endOnSilence, limitBytes } from "../streams.ts";
import { VIEWS } from "../view-schemas.ts";
import { toObjectView } from "../views.ts";

const TAG = "objects";
/** What the URLs of objects begin with. */
export const OBJECT_PREFIX = "/v1/objects/";
const PATH = "/v1/objects/{key}";
const KEY = z.strictObject({ "*": z.string() });
/** Long enough to play a recording; links of a function end with its credentials, if those end before. */
const LINK_MS = 6 * 3600_000;
const DOWNLOAD = z.strictObject({ download: z.literal("1").optional() });
const BYTES = { description: "The bytes.", mediaType: "application/octet-stream" };
const READ_HEADERS = {
  range: "One range of bytes.",
  "if-range": "The range counts only where the object is still this one.",
  "if-none-match": "Answered with 304 where the object is still this one.",
};
/** What is served of objects. */
export const OBJECT_ROUTES = {
  list: {
    method: "GET",
    path: "/v1/objects",
    tag: TAG,
    summary: "List objects by key",
    query: z.strictObject({
      prefix: z.string().max(1024).default(""),
      limit: queryNumber(1, 1000, 100),
      after: z.string().max(1024).optional(),
    }),
    answers: { 200: { description: "A page of objects.", schema: VIEWS.objects } },
    errors: ["OBJECT_KEY_INVALID"],
  },
  get: {
    method: "GET",
    path: PATH,
    tag: TAG,
    summary: "Read an object, or a range of it; with download=1 as a file to be saved",
    params: KEY,
    query: DOWNLOAD,
    headers: READ_HEADERS,
    answers: {
      200: BYTES,
      206: { ...BYTES, description: "The range." },
      304: { description: "Not changed." },
      307: { description: "More than one answer of a function holds: where the store has it." },
    },
    errors: ["OBJECT_KEY_INVALID", "OBJECT_NOT_FOUND", "RANGE_UNSATISFIABLE"],
    isRaw: true,
  },
  head: {
    method: "HEAD",
    path: PATH,
    tag: TAG,
    summary: "As GET of the whole object, without the bytes",
    params: KEY,
    query: DOWNLOAD,
    headers: { "if-none-match": READ_HEADERS["if-none-match"] },
    answers: { 200: { description: "It is there." }, 304: { description: "Not changed." } },
    errors: ["OBJECT_KEY_INVALID", "OBJECT_NOT_FOUND"],
    isRaw: true,
  },
  put: {
    method: "PUT",
    path: PATH,
    tag: TAG,
    summary:
      "Write an object below uploads/, or a reference that is kept, in one request; it appears whole or not at all",
    params: KEY,
    answers: { 201: { description: "It is there.", schema: VIEWS.object } },
    errors: ["OBJECT_KEY_INVALID", "OBJECT_KEY_CONFLICT", "FORBIDDEN", "BODY_TOO_LARGE", "NO_SPACE"],
    isRaw: true,
  },
  remove: {
    method: "DELETE",
    path: PATH,
    tag: TAG,
    summary: "Remove an object below uploads/ or outputs/, or a reference that is kept",
    params: KEY,
    answers: { 204: { description: "There is none any more." } },
    errors: ["OBJECT_KEY_INVALID", "OBJECT_NOT_FOUND", "FORBIDDEN"],
    isRaw: true,
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `OBJECT_ROUTES`; wants a scope whose bodies are not parsed. */
export function addObjectRoutes(app: FastifyInstance, { objects, limits, batch }: ServerDependencies): void {
  const lend = async (key: string, shownAs: ShownAs): Promise<string> =>
    (await batch.lender.lend({ method: "GET", key, forMs: LINK_MS, shownAs })).url;
  const lending = limits.sentBytes === null ? undefined : { overBytes: limits.sentBytes, lend };
  serve(app, OBJECT_ROUTES.list, async ({ query }) => {
    const { prefix, limit, after } = query;
    requireKeyPrefix(prefix);
    if (after !== undefined) requireObjectKey(after);
    const found = await objects.list(prefix, { limit: limit + 1, ...(after === undefined ? {} : { afterKey: after }) });
    const page = found.slice(0, limit);
    return {
      objects: page.map(toObjectView),
      nextAfter: found.length > limit ? (page.at(-1)?.key ?? null) : null,
    };
  });
  for (const contract of [OBJECT_ROUTES.head, OBJECT_ROUTES.get]) {
    serve(app, contract, async ({ query, request, reply }) => {
      return await sendObject({ objects, lending }, keyOf(request), { request, reply }, query.download === "1");
    });
  }
  serve(app, OBJECT_ROUTES.put, async ({ request, reply }) => {
    const key = keyOf(request);
    requireBelow(key, ["uploads/", `${batch.referencePrefix}/`], "written");
    endOnSilence(request.raw, reply.raw, limits.uploadSilenceMs);
    const info = await objects.put(key, limitBytes(request.raw, limits.uploadBytes));
    return reply.code(201).header("location", request.url).send(toObjectView(info));
  });
  serve(app, OBJECT_ROUTES.remove, async ({ request, reply }) => {
    const key = keyOf(request);
    requireBelow(key, ["uploads/", "outputs/", `${batch.referencePrefix}/`], "removed");
    await requireObject(objects, key);
    await objects.delete(key);
    return reply.code(204).send();
  });
}

function keyOf(request: FastifyRequest): string {
  return parseObjectPath(request.raw.url ?? "", OBJECT_PREFIX);
}

function requireBelow(key: string, prefixes: readonly string[], change: string): void {
  if (prefixes.some((prefix) => key.startsWith(prefix))) return;
  throw new ReelmillError("FORBIDDEN", `Only objects below ${prefixes.join(", ")} can be ${change}.`);
}
