import type { Json } from "../../base/json.ts";
import type { PipelineRegistry } from "../../jobs/pipeline.ts";
import type { UploadJob } from "./lambda-settings.ts";

/** Whatever lies elsewhere was written by jobs, or is nobody's upload: a job for it could make more of the same without end. */
export const UPLOADS = "uploads/";

/** The params of the job for the upload of that key: those that are set, and the pipeline's own for what it works on. Throws PIPELINE_UNKNOWN. */
export function paramsForUpload(
  pipelines: PipelineRegistry,
  { pipeline, params }: UploadJob,
  key: string,
): Readonly<Record<string, Json>> {
  return { ...params, ...inputParam(pipelines, pipeline, key) };
}

/** One object, or a list of them. */
function inputParam(pipelines: PipelineRegistry, name: string, key: string): Readonly<Record<string, Json>> {
  const { properties } = pipelines.get(name).paramsSchema as { readonly properties?: Readonly<Record<string, Json>> };
  return properties?.["inputs"] === undefined ? { input: key } : { inputs: [key] };
}
