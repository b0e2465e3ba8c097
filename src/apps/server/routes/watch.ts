import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import { type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies, WatchService } from "../dependencies.ts";
import type { EventHub } from "../event-hub.ts";
import { VIEWS } from "../view-schemas.ts";
import { toWatchView } from "../views.ts";

const TAG = "watch folder";
const ACCEPTED = { description: "It will be done.", schema: VIEWS.accepted };

/** What is served of the watch folder. */
export const WATCH_ROUTES = {
  view: {
    method: "GET",
    path: "/v1/watch",
    tag: TAG,
    summary: "The watch folder and the files in it",
    answers: { 200: { description: "How it stands.", schema: VIEWS.watch } },
    errors: [],
  },
  stats: {
    method: "GET",
    path: "/stats",
    tag: TAG,
    summary: "The watch folder in figures",
    answers: { 200: { description: "The figures.", schema: VIEWS.edgeStats } },
    errors: ["WATCH_NOT_CONFIGURED"],
  },
  scan: {
    method: "POST",
    path: "/scan-now",
    tag: TAG,
    summary: "Look at the watch folder now",
    answers: { 202: ACCEPTED },
    errors: ["WATCH_NOT_CONFIGURED"],
  },
  repair: {
    method: "POST",
    path: "/repair",
    tag: TAG,
    summary: "Repair one file of the watch folder now",
    body: z.strictObject({ file: z.string().min(1).max(1024) }),
    answers: { 202: ACCEPTED },
    errors: ["WATCH_NOT_CONFIGURED", "PARAMS_INVALID", "INPUT_NOT_FOUND", "JOB_STATE", "STORE_UNAVAILABLE"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `WATCH_ROUTES`. */
export function addWatchRoutes(app: FastifyInstance, { watch, log }: ServerDependencies, hub: EventHub): void {
  serve(app, WATCH_ROUTES.view, async () => toWatchView(watch));
  serve(app, WATCH_ROUTES.stats, async () => requireWatch(watch).stats());
  serve(app, WATCH_ROUTES.scan, async ({ reply }) => {
    // A slow share may take minutes; what comes of it is seen in the state.
    void requireWatch(watch)
      .scanNow()
      .catch((error: unknown) => log.error("The watch folder could not be looked at.", { error }))
      .finally(hub.nudge);
    return reply.code(202).send({ status: "accepted" });
  });
  serve(app, WATCH_ROUTES.repair, async ({ body, reply }) => {
    await requireWatch(watch).repairNow(body.file);
    hub.nudge();
    return reply.code(202).send({ status: "accepted" });
  });
}

function requireWatch(watch: WatchService | undefined): WatchService {
  if (watch !== undefined) return watch;
  throw new ReelmillError("WATCH_NOT_CONFIGURED", "This server watches no folder.");
}
