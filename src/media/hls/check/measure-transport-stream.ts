import { ReelmillError } from "../../../base/errors.ts";
import { parseAdtsHeader } from "../../aac/adts-header.ts";
import { samplingRateOfIndex } from "../../aac/audio-specific-config.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import { avcCodecString } from "../../codec-string/avc.ts";
import { hevcCodecStringOfProfile } from "../../codec-string/hevc.ts";
import { parseAvcSps } from "../../h264/sps.ts";
import { parseHevcSps } from "../../hevc/sps.ts";
import type { ElementaryStream } from "../../mpegts/program-tables.ts";
import { type ContinuityCounters, type PesUnit, readTransportStream } from "../../mpegts/read-transport-stream.ts";
import { ENCRYPTED_ADTS_TYPE, ENCRYPTED_AVC_TYPE } from "../../mpegts/stream-encryption.ts";
import { eachStartCodeNal } from "../../nal/start-codes.ts";
import { unescapeNal } from "../../nal/unescape.ts";
import type { RecentFrames } from "./busiest-second.ts";
import { idrFault, isSliceType, type NalFamily, nalTypeOf } from "./first-slice.ts";
import { rangeOfTransfer, type SegmentContent, SpanBuilder, STREAM_PROTECTION, type TrackFacts } from "./measure.ts";
import { channelsOfConfiguration } from "./read-initialization.ts";

const TICKS_PER_SECOND = 90_000;
/** Time stamps have 33 bits. */
const WRAP_TICKS = 2 ** 33;
const AVC_SPS = 7;
const HEVC_SPS = 33;
const SAMPLES_PER_AAC_FRAME = 1024;

/** stream_type of what HLS carries in transport streams (ISO/IEC 13818-1 table 2-34; RFC 8216bis §3.1.2). */
const VIDEO_TYPES: Readonly<Record<number, NalFamily>> = { 27: "avc", 36: "hevc", [ENCRYPTED_AVC_TYPE]: "avc" };
const ADTS_TYPES: readonly number[] = [0x0f, ENCRYPTED_ADTS_TYPE];
const ENCRYPTED_TYPES: readonly number[] = [ENCRYPTED_AVC_TYPE, ENCRYPTED_ADTS_TYPE];
const AUDIO_CODECS: Readonly<Record<number, string>> = {
  3: "mp4a.40.34",
  4: "mp4a.40.34",
  129: "ac-3",
  135: "ec-3",
};

/** What is carried from one segment to the next that goes on from it. */
export interface TransportStreamState {
  readonly counters: ContinuityCounters;
  /** Facts by PID: parameter sets need not be repeated. */
  readonly facts: Map<number, TrackFacts>;
  streams: readonly ElementaryStream[];
  /** The last decode time, without wraps, in ticks. */
  lastTicks: number | undefined;
}

/** The state before a first segment, and after a discontinuity. */
export function createTransportStreamState(): TransportStreamState {
  return { counters: new Map(), facts: new Map(), streams: [], lastTicks: undefined };
}

/**
 * Measures the transport stream packets in `[startBytes, endBytes)` (RFC 8216bis §3.1.2), in pieces. A PES packet counts as
 * one picture, as packagers write it. `state` and `recentFrames` are changed. Throws MEDIA_MALFORMED where no program or no time stamp is found.
 */
export function measureTransportStream(
  source: ByteSource,
  startBytes: number,
  endBytes: number,
  state: TransportStreamState,
  recentFrames: RecentFrames,
  isIFrame: boolean,
): SegmentContent {
  const spans = new Map<number, SpanBuilder>();
  const visit = (unit: PesUnit): void => addUnit(unit, state, spans, recentFrames);
  // I-frame segments lie apart, so that counters jump between them; the tables may stand at the file's beginning alone.
  const counters = isIFrame ? new Map() : state.counters;
  const reading = readTransportStream(source, startBytes, endBytes, counters, state.streams, visit);
  state.streams = reading.streams;
  if (reading.isScrambled) throw new ReelmillError("MEDIA_MALFORMED", "The transport stream is scrambled.");
  if (reading.streams.length === 0) {
    throw new ReelmillError(
      "MEDIA_MALFORMED",
      "The transport stream has no PAT and PMT; a segment must begin with them.",
    );
  }
  const measured = [...spans.values()].flatMap((span) => span.finish() ?? []);
  if (measured.length === 0) throw new ReelmillError("MEDIA_MALFORMED", "The transport stream has no time stamps.");
  const content = {
    container: "mpegts",
    tracks: [...state.facts.values()],
    spans: measured,
    continuityFaults: reading.continuityFaults,
  } as const;
  const iFrameFault = isIFrame ? findIFrameFault(content) : undefined;
  return iFrameFault === undefined ? content : { ...content, iFrameFault };
}

/** §4.4.3.6: an I-frame segment is one key frame. */
function findIFrameFault({ spans }: SegmentContent): string | undefined {
  const video = spans.find(({ kind }) => kind === "video");
  if (video === undefined) return "it holds no picture";
  if (video.startFault !== undefined) return video.startFault;
  return video.sampleCount === 1 ? undefined : `it holds ${video.sampleCount} pictures, one is allowed`;
}

function addUnit(
  unit: PesUnit,
  state: TransportStreamState,
  spans: Map<number, SpanBuilder>,
  recentFrames: RecentFrames,
): void {
  const { stream, ptsTicks, dtsTicks, data } = unit;
  const family = VIDEO_TYPES[stream.streamType];
  const isAudio = ADTS_TYPES.includes(stream.streamType) || AUDIO_CODECS[stream.streamType] !== undefined;
  if (ptsTicks === undefined || dtsTicks === undefined || (family === undefined && !isAudio)) return;
  const span = spans.get(stream.pid) ?? new SpanBuilder(family === undefined ? "audio" : "video", recentFrames);
  spans.set(stream.pid, span);
  const decodeTicks = unwrap(dtsTicks, state.lastTicks);
  state.lastTicks = decodeTicks;
  const decodeSeconds = decodeTicks / TICKS_PER_SECOND;
  const presentationSeconds = (decodeTicks + unwrap(ptsTicks - dtsTicks, 0)) / TICKS_PER_SECOND;
  if (family !== undefined) {
    const sliceType = lookAtPicture(data, family, stream, state.facts);
    const fault = idrFault(family, sliceType);
    if (span.sampleCount === 0) span.startFault = fault;
    span.add(decodeSeconds, presentationSeconds, undefined, fault === undefined);
  } else addSound(unit, presentationSeconds, span, state.facts);
}

/** The time nearest to `before` that has the 33 bits given. */
function unwrap(ticks: number, before: number | undefined): number {
  return before === undefined ? ticks : ticks + Math.round((before - ticks) / WRAP_TICKS) * WRAP_TICKS;
}

/** The type of a picture's first slice; its SPS, where one stands before it, becomes the track's facts. */
function lookAtPicture(
  data: Uint8Array,
  family: NalFamily,
  { pid, streamType }: ElementaryStream,
  facts: Map<number, TrackFacts>,
): number | undefined {
  for (const nal of eachStartCodeNal(data)) {
    const type = nalTypeOf(family, nal[0] as number);
    if (family === "avc" && type === AVC_SPS) facts.set(pid, { ...avcFacts(nal), ...protectionOf(streamType) });
    if (family === "hevc" && type === HEVC_SPS) facts.set(pid, hevcFacts(nal));
    if (isSliceType(family, type)) return type;
  }
  return undefined;
}

function protectionOf(streamType: number): Pick<TrackFacts, "protection"> {
  return ENCRYPTED_TYPES.includes(streamType) ? { protection: STREAM_PROTECTION } : {};
}

function avcFacts(nal: Uint8Array): TrackFacts {
  const sps = parseAvcSps(nal);
  const { profileIdc, constraintFlags, levelIdc } = sps;
  return {
    kind: "video",
    codec: avcCodecString({ profileIdc, profileCompatibility: constraintFlags, levelIdc }),
    widthPixels: sps.width,
    heightPixels: sps.height,
    isInterlaced: !sps.isFrameMbsOnly,
    range: rangeOfTransfer(sps.vui?.transferCharacteristics ?? 2),
  };
}

function hevcFacts(nal: Uint8Array): TrackFacts {
  const sps = parseHevcSps(nal);
  return {
    kind: "video",
    // Behind the two bytes of the header, one byte stands before profile_tier_level().
    codec: hevcCodecStringOfProfile(unescapeNal(nal, 2).subarray(1, 13)),
    widthPixels: sps.width,
    heightPixels: sps.height,
    isInterlaced: sps.vui?.isFieldSequence ?? false,
    range: rangeOfTransfer(sps.vui?.transferCharacteristics ?? 2),
  };
}

function addSound(unit: PesUnit, startSeconds: number, span: SpanBuilder, facts: Map<number, TrackFacts>): void {
  const { stream, data } = unit;
  const plain = AUDIO_CODECS[stream.streamType];
  if (plain !== undefined) {
    // Their channel counts are not read: nothing asks for stereo AAC in these.
    facts.set(stream.pid, { kind: "audio", codec: plain, channelCount: 0 });
    span.add(startSeconds, startSeconds, undefined, false);
    return;
  }
  let seconds = startSeconds;
  for (let index = 0; index < data.length; ) {
    const header = parseAdtsHeader(data, index);
    if (header === undefined) break;
    const frameSeconds = SAMPLES_PER_AAC_FRAME / (samplingRateOfIndex(header.rateIndex) ?? TICKS_PER_SECOND);
    const channelCount = channelsOfConfiguration(header.channelConfiguration, false) ?? 0;
    const codec = `mp4a.40.${header.objectType}`;
    facts.set(stream.pid, { kind: "audio", codec, channelCount, ...protectionOf(stream.streamType) });
    span.add(seconds, seconds, frameSeconds, false);
    seconds += frameSeconds;
    index += header.sizeBytes;
  }
}
