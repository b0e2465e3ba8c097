import { createPipelineRegistry, type PipelineRegistry } from "../jobs/pipeline.ts";
import { convertPipeline } from "./convert/pipeline.ts";
import { hlsPipeline } from "./hls/pipeline.ts";
import { repairPipeline } from "./repair/pipeline.ts";

/** All pipelines of Reelmill. */
export function createRegistry(): PipelineRegistry {
  return createPipelineRegistry([repairPipeline, convertPipeline, hlsPipeline]);
}
