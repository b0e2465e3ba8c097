import type { FastifyInstance } from "fastify";
import { type RouteContract, serve } from "../contract.ts";
import { DOCS_POLICY, renderApiPage, renderErrorsPage } from "../docs-pages.ts";
import type { buildOpenApi } from "../openapi.ts";

const TAG = "documentation";
const PAGE = { description: "A page for people.", mediaType: "text/html" };

/** What is served of the interface's own description. */
export const DOCS_ROUTES = {
  openapi: {
    method: "GET",
    path: "/openapi.json",
    tag: TAG,
    summary: "This interface in OpenAPI 3.1",
    answers: { 200: { description: "The description.", mediaType: "application/json" } },
    errors: [],
    isOpen: true,
  },
  page: {
    method: "GET",
    path: "/docs",
    tag: TAG,
    summary: "This interface for people",
    answers: { 200: PAGE },
    errors: [],
    isOpen: true,
  },
  errors: {
    method: "GET",
    path: "/docs/errors",
    tag: TAG,
    summary: "The error codes",
    answers: { 200: PAGE },
    errors: [],
    isOpen: true,
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `DOCS_ROUTES`; what `describe` gives is built when somebody asks for it, and then kept. */
export function addDocsRoutes(app: FastifyInstance, describe: () => ReturnType<typeof buildOpenApi>): void {
  const description = once(describe);
  const json = once(() => JSON.stringify(description()));
  const pages = [
    [DOCS_ROUTES.page, once(() => renderApiPage(description()))],
    [DOCS_ROUTES.errors, once(renderErrorsPage)],
  ] as const;
  serve(app, DOCS_ROUTES.openapi, async ({ reply }) => reply.type("application/json; charset=utf-8").send(json()));
  for (const [contract, html] of pages) {
    serve(app, contract, async ({ reply }) =>
      reply.type("text/html; charset=utf-8").header("content-security-policy", DOCS_POLICY).send(html()),
    );
  }
}

function once<T extends object | string>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
