import { z } from "zod";
import type { Json } from "../../base/json.ts";
import { UNTRUNC } from "../../cost/resources.ts";
import type { VideoOutput, Workload } from "../../cost/workload.ts";
import { rateOf, TARGETS } from "../../pipelines/convert/options.ts";
import { planLadder } from "../../pipelines/hls/ladder.ts";
import { HLS_SETTINGS, ladderSteps } from "../../pipelines/hls/options.ts";
import type { ExaminedFile } from "./examined-file.ts";

/** What a conversion's cost depends on; its params may be those of an older version. */
const CONVERT = z.object({
  to: z.enum(TARGETS),
  speed: z.string().default("standard"),
  preset: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  upscale: z.boolean().default(false),
  frameRate: z.string().optional(),
});

const HLS = HLS_SETTINGS.strip();
const REPAIR = z.object({ engine: z.string().optional() });

/** What jobs of a pipeline with these params have in common with others that take equally long for equal recordings; empty where all do. */
export function describeVariant(pipeline: string, params: Json): string {
  if (pipeline === "convert") {
    const { data } = CONVERT.safeParse(params);
    return data === undefined ? "unknown" : words(data.to, data.speed, data.preset);
  }
  if (pipeline === "hls") {
    const { data } = HLS.safeParse(params);
    if (data === undefined) return "unknown";
    const ladder = data.ladder === undefined ? [] : [`ladder of ${data.ladder.rungs.length}`];
    return words([...data.codecs, ...ladder].join("+"), data.speed, data.preset);
  }
  if (pipeline === "repair" && REPAIR.safeParse(params).data?.engine === UNTRUNC) return UNTRUNC;
  return "";
}

function words(target: string, speed: string, preset: string | undefined): string {
  return [target, ...(speed === "standard" ? [] : [speed]), ...(preset === undefined ? [] : [preset])].join(" ");
}

/** The work of a job with these params, as the pipeline resolved them, on these recordings. */
export function describeWorkload(pipeline: string, params: Json, files: readonly ExaminedFile[]): Workload {
  return {
    pipeline,
    variant: describeVariant(pipeline, params),
    files: files.map(({ bytes, seconds }) => ({ bytes, seconds })),
    outputs: files.flatMap((file) => outputsOf(pipeline, params, file)),
  };
}

function outputsOf(pipeline: string, params: Json, file: ExaminedFile): readonly VideoOutput[] {
  if (pipeline === "convert") return convertedOutput(params, file);
  if (pipeline === "hls") return ladderOutputs(params, file);
  return [];
}

function convertedOutput(params: Json, file: ExaminedFile): readonly VideoOutput[] {
  const { data } = CONVERT.safeParse(params);
  if (data === undefined) return [];
  const { widthPixels, heightPixels } = file;
  const rate = data.frameRate === undefined ? undefined : rateOf(data.frameRate);
  const scale =
    widthPixels === null || heightPixels === null
      ? 1
      : Math.min(
          data.upscale ? Number.POSITIVE_INFINITY : 1,
          ...(data.width === undefined ? [] : [data.width / widthPixels]),
          ...(data.height === undefined ? [] : [data.height / heightPixels]),
        );
  return [
    {
      codec: data.to,
      widthPixels: widthPixels && Math.round(widthPixels * scale),
      heightPixels: heightPixels && Math.round(heightPixels * scale),
      framesPerSecond: rate === undefined ? file.framesPerSecond : rate.numerator / rate.denominator,
      kilobitsPerSecond: null,
    },
  ];
}

/** The rungs of standard range; those of high dynamic range are as many. */
function ladderOutputs(
  params: Json,
  { widthPixels, heightPixels, framesPerSecond }: ExaminedFile,
): readonly VideoOutput[] {
  const { data } = HLS.safeParse(params);
  if (data === undefined) return [];
  return data.codecs.flatMap((codec): readonly VideoOutput[] => {
    if (widthPixels === null || heightPixels === null) {
      return [{ codec, widthPixels, heightPixels, framesPerSecond, kilobitsPerSecond: null }];
    }
    const source = { widthPixels, heightPixels, sampleAspect: 1 };
    return planLadder(source, codec, ladderSteps(data, codec, false)).map((rung) => ({
      codec,
      widthPixels: rung.widthPixels,
      heightPixels: rung.heightPixels,
      framesPerSecond,
      kilobitsPerSecond: rung.kilobitsPerSecond,
    }));
  });
}
