import { ReelmillError } from "../../../base/errors.ts";
import { parseAudioSpecificConfig } from "../../aac/audio-specific-config.ts";
import { parseElementaryStreamDescriptor } from "../../aac/elementary-stream-descriptor.ts";
import { parseAv1Configuration } from "../../av1/configuration.ts";
import { type ByteSource, readExactly } from "../../bytes/byte-source.ts";
import { endSourceAt } from "../../bytes/part-source.ts";
import { sampleEntryCodecString } from "../../codec-string/sample-entry.ts";
import { parseAvcConfiguration } from "../../h264/avc-configuration.ts";
import { parseAvcSps } from "../../h264/sps.ts";
import { parseHevcConfiguration } from "../../hevc/hevc-configuration.ts";
import { parseHevcSps } from "../../hevc/sps.ts";
import { editOffsetTicks } from "../../isobmff/edit-offset.ts";
import type { FragmentDefaults, SampleEntry, Track } from "../../isobmff/movie.ts";
import { parseMovie } from "../../isobmff/parse-movie.ts";
import { type ClearEntry, clearEntry } from "../../isobmff/protected-entry.ts";
import { scanTopLevelBoxes } from "../../isobmff/top-level.ts";
import type { NalFamily } from "./first-slice.ts";
import { rangeOfTransfer, type SampleProtection, type TrackFacts } from "./measure.ts";

/** A Media Initialization Section that is larger is none: it holds no samples. */
const MAX_MOVIE_BYTES = 4 * 1024 * 1024;
const NCLX_BYTES = 10;

/** One track of a Media Initialization Section. */
export interface InitializedTrack {
  readonly trackId: number;
  /** Ticks per second. */
  readonly timescale: number;
  readonly facts: TrackFacts;
  readonly defaults: FragmentDefaults | undefined;
  /** What the edit list takes off presentation times. */
  readonly editTicks: number;
  /** How to find an IDR; undefined for sound and other video, where the sync flag alone tells. */
  readonly nal: { readonly family: NalFamily; readonly lengthSizeBytes: number } | undefined;
}

/**
 * Reads the `moov` in `[startBytes, endBytes)` (RFC 8216bis §3.1.1). Throws MEDIA_MALFORMED where there is none, where it is
 * larger than 4 MiB, or where it holds no usable track.
 */
export function readInitialization(
  source: ByteSource,
  startBytes: number,
  endBytes: number,
): readonly InitializedTrack[] {
  const part = endSourceAt(source, endBytes);
  const box = scanTopLevelBoxes(part, startBytes).find(({ type }) => type === "moov");
  if (box === undefined) throw malformed("the Media Initialization Section holds no moov");
  if (box.sizeBytes > MAX_MOVIE_BYTES) {
    throw malformed(`its moov takes ${box.sizeBytes} bytes; at most ${MAX_MOVIE_BYTES} are read`);
  }
  const bytes = readExactly(part, box.offsetBytes, box.sizeBytes);
  if (bytes === undefined) throw malformed("its moov cannot be read");
  const movie = parseMovie(bytes, box.offsetBytes);
  return movie.tracks.map((track) => initializedTrack(track, movie.timescale, movie.fragmentDefaults));
}

function initializedTrack(
  track: Track,
  movieTimescale: number,
  defaults: ReadonlyMap<number, FragmentDefaults> | undefined,
): InitializedTrack {
  const entries = track.sampleEntries.map(clearEntry);
  const entry = entries[0]?.entry;
  return {
    trackId: track.trackId,
    timescale: track.timescale,
    facts: { ...factsOf(track, entry), protection: protectionOf(entries) },
    defaults: defaults?.get(track.trackId),
    editTicks: editOffsetTicks(track, movieTimescale),
    nal: entry && nalOf(entry),
  };
}

function protectionOf(entries: readonly ClearEntry[]): SampleProtection | undefined {
  const protection = entries.find((entry) => entry.protection !== undefined)?.protection;
  if (protection === undefined) return undefined;
  const vector = protection.encryption?.constantVector;
  return {
    scheme: protection.scheme,
    constantVector: vector && [...vector].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    isOptional: entries.some((entry) => entry.protection === undefined),
  };
}

function factsOf(track: Track, entry: SampleEntry | undefined): TrackFacts {
  const codec = entry && sampleEntryCodecString(entry);
  if (track.handlerType === "vide" && entry !== undefined) {
    const { widthPixels = 0, heightPixels = 0 } = entry.visual ?? {};
    const coded = codedPicture(entry);
    const transfer = transferOfColr(entry.children.get("colr")) ?? coded?.transfer ?? 2;
    return {
      kind: "video",
      codec,
      widthPixels: coded?.width ?? widthPixels,
      heightPixels: coded?.height ?? heightPixels,
      isInterlaced: coded?.isInterlaced ?? false,
      range: rangeOfTransfer(transfer),
    };
  }
  if (track.handlerType === "soun") return { kind: "audio", codec, channelCount: entry ? channelCountOf(entry) : 0 };
  return { kind: "text", codec };
}

/** What the first SPS, or AV1's sequence header, says of the picture. */
function codedPicture({ children }: SampleEntry) {
  const avcC = children.get("avcC");
  const avcNal = avcC && parseAvcConfiguration(avcC).spsNals[0];
  if (avcNal !== undefined) {
    const { width, height, isFrameMbsOnly, vui } = parseAvcSps(avcNal);
    return { width, height, isInterlaced: !isFrameMbsOnly, transfer: vui?.transferCharacteristics };
  }
  const hvcC = children.get("hvcC");
  const hevcNal = hvcC && parseHevcConfiguration(hvcC).spsNals[0];
  const av1C = children.get("av1C");
  const sequence = av1C && parseAv1Configuration(av1C).sequence;
  if (sequence !== undefined) {
    const { maxFrameWidth: width, maxFrameHeight: height, transferCharacteristics: transfer } = sequence;
    return { width, height, isInterlaced: false, transfer };
  }
  if (hevcNal === undefined) return undefined;
  const { width, height, vui } = parseHevcSps(hevcNal);
  return { width, height, isInterlaced: vui?.isFieldSequence ?? false, transfer: vui?.transferCharacteristics };
}

/** transfer_characteristics of a `colr` box of type nclx (ISO/IEC 14496-12 §12.1.5). */
function transferOfColr(colr: Uint8Array | undefined): number | undefined {
  if (colr === undefined || colr.length < NCLX_BYTES) return undefined;
  const type = String.fromCharCode(...colr.subarray(0, 4));
  return type === "nclx" || type === "nclc" ? ((colr[6] as number) << 8) | (colr[7] as number) : undefined;
}

/** Of AAC the decoder's own configuration tells; the sample entry's count is often just 2. */
function channelCountOf({ audio, children }: SampleEntry): number {
  const esds = children.get("esds");
  const info = esds && parseElementaryStreamDescriptor(esds)?.decoderSpecificInfo;
  if (info === undefined) return audio?.channelCount ?? 0;
  const { channelConfiguration, extension } = parseAudioSpecificConfig(info);
  return channelsOfConfiguration(channelConfiguration, extension === "ps") ?? audio?.channelCount ?? 0;
}

/** Channels of an AAC channelConfiguration (ISO/IEC 14496-3 table 1.19); undefined where it does not tell. */
export function channelsOfConfiguration(configuration: number, hasParametricStereo: boolean): number | undefined {
  if (configuration === 1 && hasParametricStereo) return 2;
  if (configuration >= 1 && configuration <= 6) return configuration;
  return configuration === 7 || configuration === 12 ? 8 : undefined;
}

function nalOf({ children }: SampleEntry): InitializedTrack["nal"] {
  const avcC = children.get("avcC");
  if (avcC !== undefined) return { family: "avc", lengthSizeBytes: parseAvcConfiguration(avcC).lengthSizeBytes };
  const hvcC = children.get("hvcC");
  return hvcC && { family: "hevc", lengthSizeBytes: parseHevcConfiguration(hvcC).lengthSizeBytes };
}

function malformed(problem: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `Not a Media Initialization Section: ${problem}.`);
}
