import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import { DASHBOARD_POLICY } from "../headers.ts";

/** Names that hold a digest of the content, as the dashboard's build gives them: what lies there never changes. */
const HASHED = /^assets\/.+-[\w-]{8,}\.\w+$/;

/** Serves the files of the dashboard; `index.html` for `/`. They must be there when the server starts. */
export function addWebRoutes(app: FastifyInstance, folder: string): void {
  app.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, isOpen: true };
    });
    await scope.register(fastifyStatic, {
      root: folder,
      // Routes for the files that there are, so that all others reach the server's own answer.
      wildcard: false,
      dotfiles: "ignore",
      cacheControl: false,
      setHeaders: (reply, path) => {
        const isHashed = HASHED.test(relative(folder, path).replaceAll("\\", "/"));
        reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
        reply.header("content-security-policy", DASHBOARD_POLICY);
      },
    });
  });
}

/** Sends the dashboard itself, for the paths of its pages. */
export async function sendIndex(folder: string, reply: FastifyReply): Promise<FastifyReply> {
  const html = await readFile(join(folder, "index.html"));
  return reply
    .headers({ "cache-control": "no-cache", "content-security-policy": DASHBOARD_POLICY })
    .type("text/html; charset=utf-8")
    .send(html);
}
