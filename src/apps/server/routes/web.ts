import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Dashboard } from "../dependencies.ts";
import { dashboardPolicy } from "../headers.ts";

/** Names that hold a digest of the content, as the dashboard's build gives them: what lies there never changes. */
const HASHED = /^assets\/.+-[\w-]{8,}\.\w+$/;

const INDEX = "index.html";

/** Serves the files of the dashboard; `index.html` for `/`. They must be there when the server starts. */
export function addWebRoutes(app: FastifyInstance, dashboard: Dashboard): void {
  const { folder } = dashboard;
  app.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, isOpen: true };
    });
    for (const path of ["/", `/${INDEX}`])
      scope.get(path, async (_request, reply) => await sendIndex(dashboard, reply));
    await scope.register(fastifyStatic, {
      root: folder,
      // Routes for the files that there are, so that all others reach the server's own answer.
      wildcard: false,
      index: false,
      globIgnore: [INDEX],
      dotfiles: "ignore",
      cacheControl: false,
      setHeaders: (reply, path) => {
        const isHashed = HASHED.test(relative(folder, path).replaceAll("\\", "/"));
        reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
        reply.header("content-security-policy", dashboardPolicy());
      },
    });
  });
}

/** Sends the dashboard itself, for the paths of its pages. */
export async function sendIndex({ folder, findStore }: Dashboard, reply: FastifyReply): Promise<FastifyReply> {
  const html = await readFile(join(folder, INDEX));
  return reply
    .headers({ "cache-control": "no-cache", "content-security-policy": dashboardPolicy(await findStore()) })
    .type("text/html; charset=utf-8")
    .send(html);
}
