import { z } from "zod";
import { HIGH_RANGE_LADDER, LADDERS, type LadderStep, type RungCodec } from "./ladder.ts";

const CODEC = z.enum(["h264", "hevc", "av1"] satisfies readonly RungCodec[]);

const RUNG = z.strictObject({
  height: z.int().min(16).max(4320).describe("Of the 16:9 box that upright pictures fit into, such as 720."),
  kbps: z.int().min(24).max(100_000).describe("Mean bit rate of the pictures, in kbit/s."),
  codec: CODEC.optional().describe("Of this rung alone; without it there is one in each of the codecs."),
});

/** A ladder of the user's own: the content of the file that `--ladder` names. */
export const LADDER_FILE = z.strictObject({
  rungs: z.array(RUNG).min(1).max(20).describe("In any order. Those that are larger than the source are left out."),
});

const FIELDS = z.strictObject({
  ladder: LADDER_FILE.optional().describe("Rungs in place of Apple's ladders."),
  codecs: z
    .array(CODEC)
    .min(1)
    .refine((codecs) => new Set(codecs).size === codecs.length, "must name each codec once")
    .default(["h264"])
    .describe("Each has rungs of its own; players choose among those that they know."),
  segments: z
    .enum(["single-file", "separate", "ts"])
    .default("single-file")
    .describe(
      "Fragmented MP4, single-file: byte ranges of one file for each rung and sound track; separate: a file for each segment. ts: files of MPEG-TS, sound as packed AAC.",
    ),
  encryptKeyUri: z
    .string()
    .max(2048)
    .regex(/^(?!data:)[^\p{Cc}"\s]+$/iu, "must be a URI without spaces and quotes, and none that holds the key itself")
    .optional()
    .describe("Where players fetch the key that the media are encrypted with; relative to the media playlists."),
  encryptMethod: z
    .enum(["aes-128", "sample-aes"])
    .optional()
    .describe(
      "With a key alone; aes-128 where it is left out. aes-128: segments as a whole, which must be files. sample-aes: the pictures and the sound within segments; subtitles stay clear.",
    ),
  speed: z
    .enum(["standard", "fast"])
    .default("standard")
    .describe("fast: nearly the same quality in a fraction of the time."),
  preset: z
    .string()
    .min(1)
    .max(20)
    .optional()
    .describe(
      "The encoder's own preset, in place of what speed chooses; of several codecs, for those whose encoder has it.",
    ),
  hardware: z
    .enum(["auto", "off", "nvenc", "vaapi", "qsv", "videotoolbox"])
    .default("auto")
    .describe(
      "Device that encodes the H.264 rungs: tried with one picture first, software where it fails, even later on. auto: NVENC where it is there.",
    ),
  audio: z.enum(["auto", "none"]).default("auto").describe("auto: every sound track as AAC. none: no sound."),
  subtitles: z.enum(["keep", "drop"]).default("keep").describe("keep: text subtitles as WebVTT."),
  deinterlace: z.enum(["auto", "off", "on"]).default("auto").describe("auto: where the source says it is interlaced."),
  hdr: z
    .enum(["auto", "off"])
    .default("auto")
    .describe(
      "Of recordings with high dynamic range. auto: HEVC rungs keep it where there are rungs of H.264 besides. off: all rungs are BT.709.",
    ),
  preview: z.boolean().default(false).describe("A short clip without sound that repeats, as MP4 and WebP."),
  thumbnails: z.boolean().default(true).describe("A poster, and small pictures to find a place by."),
});

/** Settings with their defaults filled in. */
export type HlsSettings = z.output<typeof FIELDS>;

/** How an HLS package is made; whoever submits a job and the command line give the same. */
export const HLS_SETTINGS = FIELDS.superRefine(checkSettings);

/** Tells of settings that exclude each other. */
export function checkSettings(settings: HlsSettings, context: z.RefinementCtx): void {
  const message = settingsFault(settings);
  if (message !== undefined) context.addIssue({ code: "custom", message });
}

/** What of settings excludes each other; undefined where nothing does. */
export function settingsFault({ segments, codecs, ladder }: HlsSettings): string | undefined {
  const other = codecs.find((codec) => codec !== "h264");
  // Apple 1.5, 1.10: HEVC in fMP4 alone; AV1 has no place in MPEG-TS.
  if (segments === "ts" && other !== undefined) {
    return `segments is ts, which holds H.264 alone; ${other} needs fragmented MP4`;
  }
  const unasked = ladder?.rungs.find(({ codec }) => codec !== undefined && !codecs.includes(codec));
  return unasked && `The ladder has a rung of ${unasked.codec}, which is not among codecs (${codecs.join(", ")})`;
}

/** What of settings does not go together with a key, or without one; undefined where nothing is wrong. */
export function encryptionFault(
  { encryptKeyUri, encryptMethod, segments }: HlsSettings,
  hasKey: boolean,
): string | undefined {
  if (hasKey !== (encryptKeyUri !== undefined)) {
    return "A key and encryptKeyUri, where players fetch it, go together; one of them is missing";
  }
  if (!hasKey && encryptMethod !== undefined) {
    return "encryptMethod says how a key is used, but there is none; give encryptKey and encryptKeyUri, too";
  }
  if (!hasKey || encryptMethod === "sample-aes" || segments !== "single-file") return undefined;
  return "AES-128 encrypts whole segments, each of which must be a file: segments must be separate or ts, or encryptMethod sample-aes";
}

/** What a key encrypts. */
export type EncryptMethod = NonNullable<HlsSettings["encryptMethod"]>;

/** The steps that settings ask for in one of their codecs, of high dynamic range or not; none where the user's own ladder has no rung of it. */
export function ladderSteps(
  { ladder }: Pick<HlsSettings, "ladder">,
  codec: RungCodec,
  isHighRange: boolean,
): readonly LadderStep[] {
  if (ladder === undefined) return isHighRange ? HIGH_RANGE_LADDER : LADDERS[codec];
  const own = ladder.rungs.filter((rung) => rung.codec === undefined || rung.codec === codec);
  return own.map(({ height, kbps }) => ({
    longPixels: 2 * Math.round((height * 8) / 9),
    shortPixels: height,
    kilobitsPerSecond: kbps,
  }));
}
