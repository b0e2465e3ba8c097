import { availableParallelism } from "node:os";
import { definePipeline } from "../../jobs/pipeline.ts";
import type { EncodedPart, Part } from "./parts.ts";
import { PARAMS, type Params, RESULT, type Result } from "./schemas.ts";

const TASK_TIMEOUT_MS = 24 * 3600_000;

/** Only with the first task of it: most processes that know a pipeline do none. */
const load = () => import("./stages.ts");

/** The conversion of one recording: a task for each span of its pictures, and one for its sound. */
export const convertPipeline = definePipeline<Params, Part, EncodedPart, Result>({
  name: "convert",
  description: "Changes the codec of a recording: H.264 or HEVC in MP4, VP9 or AV1 in WebM.",
  params: PARAMS,
  result: RESULT,
  onTaskFailure: "fail-job",
  maxConcurrentTasks: availableParallelism(),
  taskTimeoutMs: TASK_TIMEOUT_MS,
  plan: async (params, context) => await (await load()).planParts(params, context),
  work: async (params, part, context) => await (await load()).workPart(params, part, context),
  finish: async (params, results, context) => await (await load()).finishParts(params, results, context),
});
