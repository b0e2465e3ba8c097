import { ReelmillError } from "../../../base/errors.ts";
import { ADTS_HEADER_BYTES, parseAdtsHeader } from "../../aac/adts-header.ts";
import { samplingRateOfIndex } from "../../aac/audio-specific-config.ts";
import { ID3_HEADER_BYTES, id3TagBytes } from "../../aac/id3-tag.ts";
import { type ByteSource, readExactly } from "../../bytes/byte-source.ts";
import { ByteWindow } from "../../bytes/byte-window.ts";
import { AUDIO_DESCRIPTION_OWNER } from "../../mpegts/stream-encryption.ts";
import { type SegmentContent, SpanBuilder, STREAM_PROTECTION } from "./measure.ts";
import { channelsOfConfiguration } from "./read-initialization.ts";

const SAMPLES_PER_AAC_FRAME = 1024;
/** The tag at a segment's start holds a time stamp, at most a picture besides. */
const MAX_ID3_BYTES = 1024 * 1024;
const OWNER = "com.apple.streaming.transportStreamTimestamp\0";
const MAX_FRAMES = 1_000_000;

/**
 * Measures packed audio (RFC 8216bis §3.1.3): AAC frames with ADTS headers behind an ID3 tag that tells their time. Throws
 * MEDIA_MALFORMED where the tag has no time stamp or the frames do not follow each other.
 */
export function measurePackedAudio(source: ByteSource, startBytes: number, endBytes: number): SegmentContent {
  const tag = readTag(source, startBytes);
  const window = new ByteWindow(source);
  const span = new SpanBuilder("audio");
  let seconds = tag.ticks / 90_000;
  let channelCount = 0;
  let codec: string | undefined;
  let offset = startBytes + tag.sizeBytes;
  while (offset < endBytes && span.sampleCount < MAX_FRAMES) {
    window.load(offset, ADTS_HEADER_BYTES);
    const header = parseAdtsHeader(
      window.bytes.subarray(0, window.endOffset - window.baseOffset),
      offset - window.baseOffset,
    );
    if (header === undefined) {
      throw new ReelmillError("MEDIA_MALFORMED", `No ADTS frame begins at byte ${offset} of the packed audio.`);
    }
    const frameSeconds = SAMPLES_PER_AAC_FRAME / (samplingRateOfIndex(header.rateIndex) ?? 1);
    span.add(seconds, seconds, frameSeconds, false);
    channelCount = channelsOfConfiguration(header.channelConfiguration, false) ?? 0;
    codec = `mp4a.40.${header.objectType}`;
    seconds += frameSeconds;
    offset += header.sizeBytes;
  }
  const measured = span.finish();
  return {
    container: "packed-audio",
    tracks: [{ kind: "audio", codec, channelCount, ...(tag.isEncrypted ? { protection: STREAM_PROTECTION } : {}) }],
    spans: measured === undefined ? [] : [measured],
    continuityFaults: [],
  };
}

interface SegmentTag {
  /** The time, in ticks of 90 kHz. */
  readonly ticks: number;
  readonly sizeBytes: number;
  /** It tells how the frames behind it are encrypted. */
  readonly isEncrypted: boolean;
}

/** The ID3 tag before the frames. */
function readTag(source: ByteSource, startBytes: number): SegmentTag {
  const head = readExactly(source, startBytes, ID3_HEADER_BYTES);
  const bodyBytes = Math.max(0, id3TagBytes(head ?? new Uint8Array(0)) - ID3_HEADER_BYTES);
  const body = bodyBytes <= MAX_ID3_BYTES ? readExactly(source, startBytes + ID3_HEADER_BYTES, bodyBytes) : undefined;
  const text = body === undefined ? "" : Array.from(body, (byte) => String.fromCharCode(byte)).join("");
  const at = text.indexOf(OWNER);
  if (body === undefined || at === -1 || at + OWNER.length + 8 > body.length) {
    throw new ReelmillError("MEDIA_MALFORMED", "The packed audio does not begin with an ID3 tag that tells its time.");
  }
  const view = new DataView(body.buffer, body.byteOffset + at + OWNER.length, 8);
  const ticks = Number(view.getBigUint64(0) & 0x1_ffff_ffffn);
  return { ticks, sizeBytes: ID3_HEADER_BYTES + bodyBytes, isEncrypted: text.includes(AUDIO_DESCRIPTION_OWNER) };
}
