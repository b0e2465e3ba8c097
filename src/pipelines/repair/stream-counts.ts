import { listPackets } from "../../ffmpeg/packets.ts";
import { probeMedia } from "../../ffmpeg/probe.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";

/** One stream of a file, counted by reading all of its packets. */
export interface StreamCount {
  /** Position in the file, from 0. */
  readonly index: number;
  readonly kind: "video" | "audio" | "other";
  readonly codec: string;
  readonly packets: number;
  readonly keyframes: number;
  readonly bytes: number;
  /** From the first packet's presentation to the last one's end, in seconds; undefined where packets carry no times. */
  readonly durationSeconds: number | undefined;
}

/** All streams of a file. */
export interface StreamCounts {
  readonly streams: readonly StreamCount[];
  /** What the container says of its length, in seconds; undefined where it does not. */
  readonly durationSeconds: number | undefined;
  /** Sum over the packets. */
  readonly bytes: number;
}

/** Counts the packets that ffprobe can read. Throws FFMPEG_FAILED, FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED. */
export async function countStreams(tools: FfmpegTools, path: string, signal: AbortSignal): Promise<StreamCounts> {
  const media = await probeMedia(tools, path, signal);
  const packets = await listPackets(tools, path, signal);
  const counts = media.streams.map((stream) => ({
    index: stream.index,
    kind: stream.kind === "video" || stream.kind === "audio" ? stream.kind : ("other" as const),
    codec: stream.codec,
    packets: 0,
    keyframes: 0,
    bytes: 0,
    startSeconds: Number.POSITIVE_INFINITY,
    endSeconds: Number.NEGATIVE_INFINITY,
  }));
  for (const packet of packets) {
    const count = counts[packet.stream];
    if (count === undefined) continue;
    count.packets += 1;
    count.bytes += packet.bytes;
    if (packet.isKey) count.keyframes += 1;
    if (packet.ptsSeconds === undefined) continue;
    count.startSeconds = Math.min(count.startSeconds, packet.ptsSeconds);
    count.endSeconds = Math.max(count.endSeconds, packet.ptsSeconds + (packet.durationSeconds ?? 0));
  }
  const streams = counts.map(({ startSeconds, endSeconds, ...count }) => ({
    ...count,
    durationSeconds: endSeconds >= startSeconds ? endSeconds - startSeconds : undefined,
  }));
  const bytes = streams.reduce((sum, stream) => sum + stream.bytes, 0);
  return { streams, durationSeconds: media.durationSeconds, bytes };
}
