import type { VideoStream } from "../../ffmpeg/manifest.ts";
import type { RungCodec } from "./ladder.ts";
import type { HlsSettings } from "./options.ts";

/** What HEVC rungs that keep a recording's high dynamic range tell of their colours; in ffmpeg's words, which are x265's. */
export interface HighRange {
  readonly transfer: "smpte2084" | "arib-std-b67";
  readonly primaries: string;
  readonly matrix: string;
  /** As `VideoStream` has them; null where there are none. */
  readonly masteringDisplay: string | null;
  readonly contentLight: string | null;
}

/** A codec whose rungs keep high dynamic range: Apple 1.7 allows HEVC alone. */
const HIGH_CODEC: RungCodec = "hevc";

/**
 * Whether HEVC rungs keep what the recording has, and the sentence on that. They do beside rungs of H.264 alone: whoever cannot show high
 * dynamic range must find standard range (Apple's specification, 1.24).
 */
export function planHighRange(
  { isHdr, colour, masteringDisplay, contentLight }: VideoStream,
  { hdr, codecs }: Pick<HlsSettings, "hdr" | "codecs">,
): { readonly highRange: HighRange | null; readonly findings: readonly string[] } {
  if (!isHdr) return { highRange: null, findings: [] };
  const isWished = hdr === "auto" && codecs.includes(HIGH_CODEC);
  if (!isWished || !codecs.includes("h264")) {
    const advice = isWished ? "; beside rungs of H.264, those of HEVC would keep it" : "";
    return { highRange: null, findings: [`High dynamic range was turned into BT.709 (hable)${advice}.`] };
  }
  const others = codecs.filter((codec) => codec !== HIGH_CODEC).join(", ");
  return {
    highRange: {
      transfer: colour.transfer === "arib-std-b67" ? "arib-std-b67" : "smpte2084",
      primaries: colour.primaries ?? "bt2020",
      matrix: colour.matrix ?? "bt2020nc",
      masteringDisplay: masteringDisplay ?? null,
      contentLight: contentLight ?? null,
    },
    findings: [`HEVC rungs keep high dynamic range (10 bits); for ${others} it was turned into BT.709 (hable).`],
  };
}

/** Whether a rung of the codec keeps high dynamic range. */
export function keepsHighRange(highRange: HighRange | null, codec: RungCodec): boolean {
  return highRange !== null && codec === HIGH_CODEC;
}

/** Of `-x265-params`: the colours, and for PQ the static metadata of HDR10, which then stand in the decoder's configuration (Apple 1.8). */
export function highRangeParameters(highRange: HighRange): readonly string[] {
  const { transfer, primaries, matrix, masteringDisplay, contentLight } = highRange;
  const colours = [`colorprim=${primaries}`, `transfer=${transfer}`, `colormatrix=${matrix}`];
  if (transfer !== "smpte2084") return colours;
  return [
    ...colours,
    "hdr10=1",
    ...(masteringDisplay === null ? [] : [`master-display=${masteringDisplay}`]),
    ...(contentLight === null ? [] : [`max-cll=${contentLight}`]),
  ];
}
