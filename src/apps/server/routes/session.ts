import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type Access, keyRefused, SESSION_COOKIE, sessionOf } from "../access.ts";
import { type RouteContract, serve } from "../contract.ts";
import { VIEWS } from "../view-schemas.ts";

/** What is served of sessions. */
export const SESSION_ROUTES = {
  open: {
    method: "POST",
    path: "/v1/session",
    tag: "session",
    summary: "Show an API key once and get a cookie for it, which streams, players and downloads in a browser need",
    body: z.strictObject({ apiKey: z.string().min(1).max(1024) }),
    answers: {
      200: {
        description:
          "The cookie is set; null where no key is needed, and where it lasts as long as the browser's session.",
        schema: VIEWS.session,
      },
    },
    errors: ["UNAUTHORIZED"],
    isOpen: true,
  },
  close: {
    method: "DELETE",
    path: "/v1/session",
    tag: "session",
    summary: "Forget the cookie",
    answers: { 204: { description: "It is forgotten." } },
    errors: [],
    isOpen: true,
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `SESSION_ROUTES`; by TLS alone where cookies are to be sent by nothing else. */
export function addSessionRoutes(app: FastifyInstance, access: Access, { isTlsOnly }: { isTlsOnly: boolean }): void {
  const { sessions } = access;
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isTlsOnly ? "; Secure" : ""}`;
  serve(app, SESSION_ROUTES.open, async ({ body, reply }) => {
    if (!access.isKeyNeeded) return { expiresAt: null };
    if (!access.isKey(body.apiKey)) throw keyRefused();
    const { id, expiresAtMs } = sessions.open(body.apiKey);
    const end = expiresAtMs === null ? null : new Date(expiresAtMs);
    const expires = end === null ? "" : `Expires=${end.toUTCString()}; `;
    reply.header("set-cookie", `${SESSION_COOKIE}=${id}; ${expires}${attributes}`);
    return { expiresAt: end?.toISOString() ?? null };
  });
  serve(app, SESSION_ROUTES.close, async ({ request, reply }) => {
    const id = sessionOf(request);
    if (id !== undefined) sessions.close(id);
    return reply.header("set-cookie", `${SESSION_COOKIE}=; Max-Age=0; ${attributes}`).code(204).send();
  });
}
