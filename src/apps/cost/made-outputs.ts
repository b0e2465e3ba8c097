import { z } from "zod";
import type { VideoOutput } from "../../cost/workload.ts";
import type { Job } from "../../jobs/job.ts";
import { TARGETS } from "../../pipelines/convert/options.ts";

/** What a conversion's result tells of its pictures; those of older versions tell less. */
const CONVERTED = z.object({
  report: z.object({
    pictures: z.number().nullable(),
    durationSeconds: z.number().nullable(),
    widthPixels: z.number(),
    heightPixels: z.number(),
  }),
});

/** What a package's result tells of its rungs. */
const PACKAGED = z.object({
  report: z.object({
    variants: z.array(
      z.object({
        name: z.string(),
        resolution: z.string().nullable(),
        framesPerSecond: z.number().nullable(),
        codecs: z.array(z.string()),
        averageBitsPerSecond: z.number(),
      }),
    ),
  }),
});

/** The pictures that a job made, by its result; undefined where that does not tell. */
export function madeOutputs({ pipeline, params, result }: Job): readonly VideoOutput[] | undefined {
  if (pipeline === "convert") return convertedOutputs(params, result);
  if (pipeline === "hls") return packagedOutputs(result);
  return undefined;
}

function convertedOutputs(params: unknown, result: unknown): readonly VideoOutput[] | undefined {
  const { data: wish } = z.object({ to: z.enum(TARGETS) }).safeParse(params);
  const { data: made } = CONVERTED.safeParse(result);
  if (wish === undefined || made === undefined) return undefined;
  const { pictures, durationSeconds, widthPixels, heightPixels } = made.report;
  // Times are rounded; prices change at whole rates.
  const framesPerSecond =
    pictures !== null && durationSeconds ? Math.round((10 * pictures) / durationSeconds) / 10 : null;
  return [{ codec: wish.to, widthPixels, heightPixels, framesPerSecond, kilobitsPerSecond: null }];
}

/** By the first letters of the names of codecs in playlists (RFC 6381). */
const NAMED: Readonly<Record<string, VideoOutput["codec"]>> = { avc: "h264", hvc: "hevc", hev: "hevc", av0: "av1" };

/** Variants that differ by their sound alone are of one rung, whose name they begin with. */
function packagedOutputs(result: unknown): readonly VideoOutput[] | undefined {
  const { data } = PACKAGED.safeParse(result);
  if (data === undefined) return undefined;
  const rungs = new Map<string, VideoOutput>();
  for (const { name, resolution, framesPerSecond, codecs, averageBitsPerSecond } of data.report.variants) {
    const [widthPixels = 0, heightPixels = 0] = (resolution ?? "").split("x").map(Number);
    const codec = codecs.map((word) => NAMED[word.slice(0, 3)]).find((known) => known !== undefined);
    if (codec === undefined || !(widthPixels > 0 && heightPixels > 0)) continue;
    const kilobitsPerSecond = averageBitsPerSecond / 1000;
    const rung = name.split(" ")[0] ?? "";
    if (!rungs.has(rung)) rungs.set(rung, { codec, widthPixels, heightPixels, framesPerSecond, kilobitsPerSecond });
  }
  return rungs.size === 0 ? undefined : [...rungs.values()];
}
