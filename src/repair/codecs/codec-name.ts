import { parseElementaryStreamDescriptor } from "../../media/aac/elementary-stream-descriptor.ts";
import type { SampleEntry, Track } from "../../media/isobmff/movie.ts";
import { type PcmLayout, pcmLayout } from "../../media/pcm/pcm-layout.ts";

/** Names that ffmpeg gives to what a sample entry's fourcc says. */
const NAMES: Readonly<Record<string, string>> = {
  ...namesOf("h264", ["avc1", "avc2", "avc3", "avc4", "dva1", "dvav"]),
  ...namesOf("hevc", ["hvc1", "hev1", "dvh1", "dvhe"]),
  ...namesOf("prores", ["apch", "apcn", "apcs", "apco", "ap4h", "ap4x"]),
  ...namesOf("dnxhd", ["AVdn", "AVdh"]),
  ...namesOf("mjpeg", ["jpeg", "mjpa", "dmb1", "AVDJ"]),
  ...namesOf("h263", ["h263", "H263", "s263"]),
  ...namesOf("mp3", [".mp3", "ms\0U"]),
  ...namesOf("mov_text", ["tx3g", "text"]),
  av01: "av1",
  vp08: "vp8",
  vp09: "vp9",
  mp4v: "mpeg4",
  mjpb: "mjpegb",
  mp4a: "aac",
  "ac-3": "ac3",
  "ec-3": "eac3",
  fLaC: "flac",
  Opus: "opus",
  ima4: "adpcm_ima_qt",
  samr: "amr_nb",
  sawb: "amr_wb",
};

/** By objectTypeIndication, where it says more than the fourcc (ISO/IEC 14496-1 §7.2.6.6 and the MP4 registration authority). */
const OBJECT_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6a, "mpeg1video"],
  ...[0x60, 0x61, 0x62, 0x63, 0x64, 0x65].map((type): [number, string] => [type, "mpeg2video"]),
  [0x6c, "mjpeg"],
  [0x69, "mp3"],
  [0x6b, "mp3"],
  [0xa5, "ac3"],
  [0xa6, "eac3"],
  [0xad, "opus"],
  [0xdd, "vorbis"],
]);

function namesOf(name: string, formats: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(formats.map((format) => [format, name]));
}

/**
 * A codec as ffmpeg and its users call it: `h264`, `aac`, `pcm_s16le`; of what has no such name the fourcc, as `gpmd`;
 * `unknown` without an entry.
 */
export function codecNameOf(entry: SampleEntry | undefined): string {
  if (entry === undefined) return "unknown";
  const layout = pcmLayout(entry);
  if (layout) return pcmName(layout);
  return objectName(entry) ?? NAMES[entry.format] ?? (entry.format.trim() || "unknown");
}

/** As `codecNameOf`, each codec of a track once, joined by `+`. */
export function trackCodecs({ sampleEntries }: Pick<Track, "sampleEntries">): string {
  return [...new Set(sampleEntries.map(codecNameOf))].join("+") || "unknown";
}

function objectName({ format, children }: SampleEntry): string | undefined {
  const esds = format === "mp4v" || format === "mp4a" ? children.get("esds") : undefined;
  const info = esds && parseElementaryStreamDescriptor(esds);
  return info && OBJECT_TYPES.get(info.objectTypeIndication);
}

function pcmName({ bitsPerSample, companding, isFloat, isSigned, isBigEndian }: PcmLayout): string {
  if (companding) return companding === "ulaw" ? "pcm_mulaw" : "pcm_alaw";
  const kind = isFloat ? "f" : isSigned ? "s" : "u";
  return `pcm_${kind}${bitsPerSample}${bitsPerSample === 8 ? "" : isBigEndian ? "be" : "le"}`;
}
