import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ShownLoan } from "../../../adapters/local/object-lender.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import { sendObject } from "../send-object.ts";
import { endOnSilence, limitBytes } from "../streams.ts";

const TAG = "batch";
/** Where loans of a local store are answered. */
export const LENT_PATH = "/v1/lent";

const WHOLE = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number);
const QUERY = z.strictObject({
  method: z.string().max(10),
  key: z.string().max(1024),
  bytes: WHOLE.optional(),
  until: WHOLE,
  signature: z.string().max(128),
});

/** What is served of objects that were lent: links that `POST /upload-url` and `POST /download-url` gave out. */
export const LENT_ROUTES = {
  read: {
    method: "GET",
    path: LENT_PATH,
    tag: TAG,
    summary: "Read an object by a link that was given out for it",
    query: QUERY,
    headers: { range: "One range of bytes." },
    answers: {
      200: { description: "The bytes.", mediaType: "application/octet-stream" },
      206: { description: "The range.", mediaType: "application/octet-stream" },
    },
    errors: ["FORBIDDEN", "OBJECT_NOT_FOUND", "RANGE_UNSATISFIABLE"],
    isOpen: true,
    isRaw: true,
  },
  write: {
    method: "PUT",
    path: LENT_PATH,
    tag: TAG,
    summary: "Write an object by a link that was given out for it; it appears whole or not at all",
    query: QUERY,
    headers: { "content-length": "The bytes that the link was asked for." },
    answers: { 200: { description: "It is there." } },
    errors: ["FORBIDDEN", "OBJECT_KEY_CONFLICT", "NO_SPACE"],
    isOpen: true,
    isRaw: true,
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `LENT_ROUTES`; wants a scope whose bodies are not parsed. */
export function addLentRoutes(app: FastifyInstance, { objects, limits, batch }: ServerDependencies): void {
  const requireLent = (query: z.output<typeof QUERY>, method: "GET" | "PUT"): ShownLoan => {
    const shown = { ...query, bytes: query.bytes, method, untilMs: query.until };
    if (batch.requireLent === undefined) {
      throw new ReelmillError("NOT_FOUND", "The store itself answers the links to its objects.");
    }
    batch.requireLent(shown);
    return shown;
  };
  serve(app, LENT_ROUTES.read, async ({ query, request, reply }) => {
    const { key } = requireLent(query, "GET");
    return await sendObject({ objects }, key, { request, reply }, true);
  });
  serve(app, LENT_ROUTES.write, async ({ query, request, reply }) => {
    const { key, bytes = 0 } = requireLent(query, "PUT");
    const announced = request.headers["content-length"];
    if (announced !== String(bytes)) {
      const found = announced === undefined ? "the request does not say how many it brings" : `this is ${announced}`;
      throw new ReelmillError("REQUEST_INVALID", `The link is for a body of ${bytes} bytes; ${found}.`);
    }
    endOnSilence(request.raw, reply.raw, limits.uploadSilenceMs);
    await objects.put(key, limitBytes(request.raw, bytes));
    return reply.code(200).send();
  });
}
