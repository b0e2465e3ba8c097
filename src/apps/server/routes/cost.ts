import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import { queryNumber, type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import { VIEWS } from "../view-schemas.ts";
import { requireJob } from "./jobs.ts";

const TAG = "cost";
const MAX_FILES = 1000;
const MAX_PER_MONTH = 1_000_000_000;
const MAX_PIXELS = 100_000;

const FILE = z.strictObject({
  bytes: z.int().min(0),
  seconds: z.number().min(0).nullable().default(null).describe("How long it plays; null where nobody knows."),
  widthPixels: z.int().min(1).max(MAX_PIXELS).nullable().default(null).describe("Upright."),
  heightPixels: z.int().min(1).max(MAX_PIXELS).nullable().default(null),
  framesPerSecond: z.number().positive().max(10_000).nullable().default(null),
});

/** What is served about cost. */
export const COST_ROUTES = {
  estimate: {
    method: "POST",
    path: "/v1/estimates",
    tag: TAG,
    summary: "What a job would cost on AWS; nothing is submitted",
    body: z.strictObject({
      pipeline: z.string().min(1).max(100),
      params: z.record(z.string(), z.unknown()),
      files: z
        .array(FILE)
        .min(1)
        .max(MAX_FILES)
        .optional()
        .describe("Recordings that are not uploaded yet; params then need no keys. Left out: those that params name."),
      perMonth: z
        .int()
        .min(1)
        .max(MAX_PER_MONTH)
        .optional()
        .describe("Jobs a month, to be told what they cost together."),
    }),
    answers: { 200: { description: "The estimate, or why there is none.", schema: VIEWS.estimate } },
    errors: ["PIPELINE_UNKNOWN", "PARAMS_INVALID", "OBJECT_KEY_INVALID", "OBJECT_NOT_FOUND"],
  },
  actual: {
    method: "GET",
    path: "/v1/jobs/{id}/cost",
    tag: TAG,
    summary: "What a job that has ended cost, had it run on AWS for as long",
    params: z.strictObject({ id: z.string().max(100) }),
    // 0 stands for none, because a query has no other way to say so.
    query: z.strictObject({ perMonth: queryNumber(0, MAX_PER_MONTH, 0) }),
    answers: { 200: { description: "The cost.", schema: VIEWS.cost } },
    errors: ["JOB_NOT_FOUND", "JOB_STATE", "ESTIMATE_IMPOSSIBLE"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `COST_ROUTES`. */
export function addCostRoutes(app: FastifyInstance, { cost, store }: ServerDependencies): void {
  serve(app, COST_ROUTES.estimate, async ({ body: { perMonth = null, ...plan } }) => {
    try {
      return { estimate: await cost.estimate({ files: undefined, ...plan, perMonth }), reason: null };
    } catch (error) {
      if (!(error instanceof ReelmillError) || error.code !== "ESTIMATE_IMPOSSIBLE") throw error;
      return { estimate: null, reason: error.message };
    }
  });
  serve(app, COST_ROUTES.actual, async ({ params, query }) =>
    cost.actual(await requireJob(store, params.id), query.perMonth || null),
  );
}
