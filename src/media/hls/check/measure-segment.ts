import { ReelmillError } from "../../../base/errors.ts";
import { type ByteSource, readExactly } from "../../bytes/byte-source.ts";
import { fourccAt } from "../../isobmff/box-reader.ts";
import { TS_SYNC_BYTE } from "../../mpegts/ts-packet.ts";
import { parseWebVtt } from "../../webvtt/parse-webvtt.ts";
import type { RecentFrames } from "./busiest-second.ts";
import type { SegmentContainer, SegmentContent } from "./measure.ts";
import { measureFragments } from "./measure-fragments.ts";
import { measurePackedAudio } from "./measure-packed-audio.ts";
import { measureTransportStream, type TransportStreamState } from "./measure-transport-stream.ts";
import type { InitializedTrack } from "./read-initialization.ts";

/** Boxes that a segment of fragmented MP4 begins with. */
const SEGMENT_BOXES: readonly string[] = ["styp", "moof", "sidx", "prft", "emsg", "ftyp", "free"];
/** Largest segment of subtitles that is read, in bytes. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;
const PROBE_BYTES = 8;

/** Where a segment lies and what it needs to be understood. */
export interface SegmentPlace {
  readonly source: ByteSource;
  readonly startBytes: number;
  /** Exclusive, within the source. */
  readonly endBytes: number;
  /** The tracks of the Media Initialization Section, where there is one. */
  readonly tracks: readonly InitializedTrack[] | undefined;
  /** Carried from segment to segment of one playlist. */
  readonly transportStream: TransportStreamState;
  /** As `transportStream`, of its pictures. */
  readonly recentFrames: RecentFrames;
  /** The segment is of an I-frame playlist. */
  readonly isIFrame: boolean;
}

/** Measures one segment of whichever container its first bytes show. Throws MEDIA_MALFORMED where it is none or broken. */
export function measureSegment(place: SegmentPlace): SegmentContent {
  const { source, startBytes, endBytes, tracks, transportStream, recentFrames, isIFrame } = place;
  const container = containerAt(source, startBytes);
  switch (container) {
    case "fmp4":
      if (tracks === undefined) {
        throw new ReelmillError(
          "MEDIA_MALFORMED",
          "The fragmented MP4 has no Media Initialization Section to be read with.",
        );
      }
      return measureFragments(source, startBytes, endBytes, tracks, recentFrames, isIFrame);
    case "mpegts":
      return measureTransportStream(source, startBytes, endBytes, transportStream, recentFrames, isIFrame);
    case "packed-audio":
      return measurePackedAudio(source, startBytes, endBytes);
    case "webvtt":
      return measureText(source, startBytes, endBytes);
    default:
      throw new ReelmillError("MEDIA_MALFORMED", "The segment is not MPEG-TS, fragmented MP4, packed audio or WebVTT.");
  }
}

/** What the segment's first bytes are; undefined where they are nothing that HLS carries. */
export function containerAt(source: ByteSource, startBytes: number): SegmentContainer | undefined {
  const head = readExactly(source, startBytes, Math.min(PROBE_BYTES, Math.max(0, source.sizeBytes - startBytes)));
  if (head === undefined || head.length < PROBE_BYTES) return undefined;
  if (SEGMENT_BOXES.includes(fourccAt(head, 4))) return "fmp4";
  if (head[0] === TS_SYNC_BYTE) return "mpegts";
  const start = fourccAt(head, 0);
  if (start === "WEBV" || (head[0] === 0xef && fourccAt(head, 3) === "WEBV")) return "webvtt";
  const isAdts = head[0] === 0xff && ((head[1] as number) & 0xf6) === 0xf0;
  return start.startsWith("ID3") || isAdts ? "packed-audio" : undefined;
}

function measureText(source: ByteSource, startBytes: number, endBytes: number): SegmentContent {
  const bytes =
    endBytes - startBytes <= MAX_TEXT_BYTES ? readExactly(source, startBytes, endBytes - startBytes) : undefined;
  if (bytes === undefined) {
    throw new ReelmillError("MEDIA_MALFORMED", `The subtitles take more than ${MAX_TEXT_BYTES} bytes, or end early.`);
  }
  const { timestampMap } = parseWebVtt(new TextDecoder().decode(bytes));
  const tracks = [{ kind: "text", codec: "wvtt" }] as const;
  return { container: "webvtt", tracks, spans: [], continuityFaults: [], hasTimestampMap: timestampMap !== undefined };
}
