import { definePipeline } from "../../jobs/pipeline.ts";
import type { EncodedPart } from "./encode-part.ts";
import type { EncodePart } from "./parts.ts";
import { PARAMS, type Params, RESULT, type Result } from "./schemas.ts";

const TASK_TIMEOUT_MS = 24 * 3600_000;

/** Only with the first task of it: most processes that know a pipeline do none. */
const load = () => import("./stages.ts");

/** The HLS package of one recording: a task for each span of its pictures in all rungs, one for its sound; packaged and checked in the last stage. */
export const hlsPipeline = definePipeline<Params, EncodePart, EncodedPart, Result>({
  name: "hls",
  description:
    "Makes an HLS package of a recording: H.264, HEVC and AV1 rungs, sound by language, poster and thumbnails.",
  params: PARAMS,
  result: RESULT,
  onTaskFailure: "fail-job",
  // One process already keeps all cores busy.
  maxConcurrentTasks: 1,
  taskTimeoutMs: TASK_TIMEOUT_MS,
  idempotencyKeyOf: ({ message }) => message && `hls/${message.org_id}/${message.job_id}`,
  plan: async (params, context) => await (await load()).planStreams(params, context),
  work: async (params, part, context) => await (await load()).workPart(params, part, context),
  finish: async (params, results, context) => await (await load()).finishStreams(params, results, context),
});
