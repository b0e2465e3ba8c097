import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import { queryNumber, type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import { VIEWS } from "../view-schemas.ts";
import { toDeliveryView } from "../views.ts";

const TAG = "webhooks";

/** What is served of webhooks. */
export const WEBHOOK_ROUTES = {
  list: {
    method: "GET",
    path: "/v1/webhooks/deliveries",
    tag: TAG,
    summary: "What was sent to webhooks, newest first",
    query: z.strictObject({ jobId: z.string().max(100).optional(), limit: queryNumber(1, 500, 100) }),
    answers: { 200: { description: "The deliveries.", schema: VIEWS.deliveries } },
    errors: [],
  },
  redeliver: {
    method: "POST",
    path: "/v1/webhooks/deliveries/{id}/redeliver",
    tag: TAG,
    summary: "Send it once more",
    params: z.strictObject({ id: z.string().max(100) }),
    answers: { 202: { description: "It will be sent.", schema: VIEWS.accepted } },
    errors: ["DELIVERY_NOT_FOUND"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `WEBHOOK_ROUTES`. */
export function addWebhookRoutes(app: FastifyInstance, { deliveries }: ServerDependencies): void {
  serve(app, WEBHOOK_ROUTES.list, async ({ query }) => {
    const found = (await deliveries?.list({ jobId: query.jobId, limit: query.limit })) ?? [];
    return { deliveries: found.map(toDeliveryView) };
  });
  serve(app, WEBHOOK_ROUTES.redeliver, async ({ params, reply }) => {
    if ((await deliveries?.redeliver(params.id)) === undefined) {
      throw new ReelmillError("DELIVERY_NOT_FOUND", `There is no delivery ${params.id}.`);
    }
    return reply.code(202).send({ status: "accepted" });
  });
}
