import type { FastifyReply, FastifyRequest } from "fastify";
import { ReelmillError } from "../../base/errors.ts";
import type { Dashboard } from "./dependencies.ts";
import { ALL_ROUTES } from "./routes/all-routes.ts";
import { sendIndex } from "./routes/web.ts";

/** Paths of the interface, each with its methods. */
const KNOWN: readonly { readonly pattern: RegExp; readonly method: string }[] = ALL_ROUTES.map(({ path, method }) => ({
  pattern: new RegExp(
    `^${path
      .replaceAll(".", "\\.")
      .replace("{key}", ".+")
      .replaceAll(/\{\w+\}/g, "[^/]+")}$`,
  ),
  method,
}));

/** The dashboard's pages have paths that only it knows; it looks at them when it is there. */
const NO_PAGE = /^\/(v1|assets|docs|health)(\/|$)/;

/** Answers where nothing is served: with the dashboard, where a person looks for a page, or with what is wrong. */
export async function answerUnknownPath(
  dashboard: Dashboard | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const path = request.raw.url?.split("?", 1)[0] ?? "";
  const allowed = KNOWN.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
  if (allowed.length > 0) {
    const methods = [...new Set(allowed)].join(", ");
    reply.header("allow", methods);
    throw new ReelmillError("METHOD_NOT_ALLOWED", `${path} takes ${methods}, not ${request.method}.`);
  }
  const isPage = request.method === "GET" && request.headers.accept?.includes("text/html") === true;
  if (dashboard !== undefined && isPage && !NO_PAGE.test(path)) return await sendIndex(dashboard, reply);
  throw new ReelmillError("NOT_FOUND", `Nothing is served at ${path}.`);
}
