import { z } from "zod";
import { parseBytes } from "../../base/units.ts";
import type { Ratio } from "../../ffmpeg/manifest.ts";
import { describeQualities, isQualityOf } from "../../ffmpeg/software-encoders.ts";

/** What a file is converted to. */
export const TARGETS = ["h264", "hevc", "vp9", "av1"] as const;

/** A name of `TARGETS`. */
export type Target = (typeof TARGETS)[number];

const SIDE = z.int().min(16).max(16_384);

const FIELDS = z.strictObject({
  to: z.enum(TARGETS).describe("The codec of the pictures: h264 and hevc in MP4, vp9 and av1 in WebM."),
  quality: z
    .number()
    // Which of them is allowed depends on the codec: `checkSettings` tells.
    .meta({ minimum: 0, maximum: 63 })
    .optional()
    .describe(
      "Constant quality (CRF), less is better: 0 to 51 for h264 (default 23) and hevc (28), 0 to 63 for vp9 and av1 (30).",
    ),
  targetQuality: z
    .number()
    .min(0.5)
    .max(100)
    .refine((score) => score < 1 || score >= 10, "must be an SSIM from 0.5 to below 1 or a VMAF from 10 to 100")
    .optional()
    .describe(
      "Search the quality that reaches this score on samples: SSIM below 1, such as 0.98, or VMAF from 10 on, such as 95, where the ffmpeg has libvmaf.",
    ),
  targetSize: z
    .string()
    .max(24)
    .refine((text) => parseBytes(text) !== undefined, "must be like 700MB, 1.5GB or 650MiB")
    .optional()
    .describe("Search the quality at which the file is at most so large, such as 700MB."),
  speed: z
    .enum(["standard", "fast"])
    .default("standard")
    .describe(
      "standard: the target's usual encoder. fast: the encoder and preset that come near it in a fraction of the time.",
    ),
  preset: z.string().min(1).max(20).optional().describe("The encoder's own preset, in place of what speed chooses."),
  width: SIDE.optional().describe("Widest in pixels, upright; the shape stays. Smaller pictures are not made larger."),
  height: SIDE.optional().describe(
    "Highest in pixels, upright; the shape stays. Smaller pictures are not made larger.",
  ),
  upscale: z.boolean().default(false).describe("Make smaller pictures as large as width and height say."),
  frameRate: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3})?$|^\d{1,6}\/\d{1,5}$/, {
      error: "must be like 25, 29.97 or 30000/1001, from 1 to 300",
      abort: true,
    })
    .refine((text) => isUsualRate(rateOf(text)), "must be from 1 to 300")
    .optional()
    .describe("Pictures per second, such as 25 or 30000/1001. Default: each picture at its own time."),
  bitDepth: z
    .enum(["source", "8", "10"])
    .default("source")
    .describe("Bits per sample. source: 10 where the source has more than 8, but for h264 always 8."),
  hardware: z
    .enum(["off", "auto", "nvenc", "vaapi", "qsv", "videotoolbox"])
    .default("off")
    .describe("Encoder on a graphics device: tried with one picture first, software where it fails."),
  reencode: z.boolean().default(false).describe("Encode pictures and sound that fit already."),
  deinterlace: z.enum(["auto", "off", "on"]).default("auto").describe("auto: where the source says it is interlaced."),
  toneMap: z.boolean().default(false).describe("Turn high dynamic range into standard range (BT.709)."),
  audio: z
    .enum(["auto", "copy", "none"])
    .default("auto")
    .describe("auto: AAC in MP4, Opus in WebM, copied where it fits. copy: as it is. none: no sound."),
  audioBitrate: z
    .int()
    .min(8)
    .max(1024)
    .optional()
    .describe("kbit/s of each sound track that is encoded. Default 128."),
  audioTracks: z
    .union([z.literal("all"), z.array(z.int().min(0).max(99)).min(1).max(32)])
    .default("all")
    .describe("Sound tracks to take, counted from 0."),
  subtitles: z
    .enum(["keep", "drop", "burn"])
    .default("keep")
    .describe("keep: text subtitles stay text. burn: the first text subtitles become part of the picture."),
  score: z
    .boolean()
    .default(false)
    .describe("Compare samples of the result with the source: VMAF or XPSNR where the ffmpeg has it, SSIM otherwise."),
  verify: z
    .enum(["none", "quick", "full"])
    .default("full")
    .describe("none; quick: number and times of the pictures; full: besides, everything is decoded."),
});

/** Settings with their defaults filled in. */
export type ConvertSettings = z.output<typeof FIELDS>;

/** How a recording is converted; whoever submits a job and the command line give the same. */
export const CONVERT_SETTINGS = FIELDS.superRefine(checkSettings);

/** Settings that exclude each other, or mean nothing without another. */
export function checkSettings(settings: ConvertSettings, context: z.RefinementCtx): void {
  const complain = (message: string): void => context.addIssue({ code: "custom", message });
  const { to, quality } = settings;
  if (quality !== undefined && !isQualityOf(to, quality)) {
    const message = `must be ${describeQualities(to)} for ${to}`;
    context.addIssue({ code: "custom", path: ["quality"], message });
  }
  const given = (["quality", "targetQuality", "targetSize"] as const).filter((name) => settings[name] !== undefined);
  if (given.length > 1) complain(`${given.join(" and ")} exclude each other`);
  if (settings.score && settings.verify === "none") complain("score cannot be measured where verify is none");
  const { audio, audioBitrate, audioTracks, upscale, width, height } = settings;
  if (audioBitrate !== undefined && audio !== "auto") {
    complain(`audioBitrate is of sound that is encoded, but audio is ${audio}`);
  }
  if (audioTracks !== "all" && audio === "none") complain("audioTracks names sound to take, but audio is none");
  if (upscale && width === undefined && height === undefined) {
    complain("upscale has no size to reach: neither width is given, nor height is");
  }
}

/** A rate as it is written in settings: pictures in so many seconds. */
export function rateOf(text: string): Ratio {
  const [numerator = "0", denominator = "1"] = text.split("/");
  const decimals = numerator.split(".")[1]?.length ?? 0;
  const scale = 10 ** decimals;
  return { numerator: Math.round(Number(numerator) * scale), denominator: Number(denominator) * scale };
}

function isUsualRate({ numerator, denominator }: Ratio): boolean {
  return denominator > 0 && numerator / denominator >= 1 && numerator / denominator <= 300;
}

/** The extension of a target's files, with its dot. */
export function extensionFor(target: Target): ".mp4" | ".webm" {
  return target === "h264" || target === "hevc" ? ".mp4" : ".webm";
}
