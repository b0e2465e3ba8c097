import { z } from "zod";
import { ReelmillError } from "../base/errors.ts";
import { inputArguments, PROBE_ARGUMENTS } from "./arguments.ts";
import { createLineReader } from "./lines.ts";
import { runFfprobeJson } from "./probe.ts";
import { runProcess } from "./process.ts";
import { requireSuccess } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

/** One packet as it is stored. */
export interface PacketInfo {
  /** Position of the stream in the file, from 0. */
  readonly stream: number;
  readonly kind: "video" | "audio" | "other";
  /** Presentation time; undefined where the container gives none. */
  readonly ptsSeconds: number | undefined;
  /** Undefined where the container gives none. */
  readonly durationSeconds: number | undefined;
  readonly bytes: number;
  /** Offset of the packet's first byte in the file; undefined where the container does not keep it in one piece. */
  readonly position: number | undefined;
  readonly isKey: boolean;
}

/** Enough for about a million packets. */
const MAX_PACKET_LIST_BYTES = 256 * 1024 * 1024;

const numeric = z.coerce.number().optional().catch(undefined);

const PACKETS_SCHEMA = z.object({
  packets: z.array(
    z.object({
      codec_type: z.string().catch("unknown"),
      stream_index: z.number(),
      pts_time: numeric,
      duration_time: numeric,
      size: z.coerce.number(),
      pos: numeric,
      flags: z.string().catch(""),
    }),
  ),
});

const HIDDEN_SCHEMA = z.object({ packets: z.tuple([z.object({ flags: z.string() })]) });

function kindOf(codecType: string): PacketInfo["kind"] {
  return codecType === "video" || codecType === "audio" ? codecType : "other";
}

/**
 * Lists every packet of a file in the order ffprobe reads them; per stream that is decode order. Throws FFMPEG_FAILED when
 * ffprobe cannot open the file, FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function listPackets(
  tools: FfmpegTools,
  path: string,
  signal?: AbortSignal,
): Promise<readonly PacketInfo[]> {
  const fields = "packet=codec_type,stream_index,pts_time,duration_time,size,pos,flags";
  const bounds = { timeoutMs: tools.timeoutMs, signal, maxOutputBytes: MAX_PACKET_LIST_BYTES };
  const parsed = PACKETS_SCHEMA.safeParse(await runFfprobeJson(tools, path, ["-show_entries", fields], bounds));
  if (!parsed.success) {
    throw new ReelmillError("FFMPEG_FAILED", "ffprobe's list of packets lacks fields.", { cause: parsed.error });
  }
  return parsed.data.packets.map((packet) => ({
    stream: packet.stream_index,
    kind: kindOf(packet.codec_type),
    ptsSeconds: packet.pts_time,
    durationSeconds: packet.duration_time,
    bytes: packet.size,
    position: packet.pos,
    isKey: packet.flags.includes("K"),
  }));
}

/** Whether the first packet of a stream is decoded, but not heard or seen, by an edit list. Reads the beginning of the file. Throws as `listPackets`. */
export async function beginsHidden(
  tools: FfmpegTools,
  path: string,
  streamIndex: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const args = ["-select_streams", String(streamIndex), "-read_intervals", "%+#1", "-show_entries", "packet=flags"];
  const parsed = HIDDEN_SCHEMA.safeParse(
    await runFfprobeJson(tools, path, args, { timeoutMs: tools.timeoutMs, signal }),
  );
  return parsed.success && parsed.data.packets[0].flags.includes("D");
}

/** Bytes of all packets of a stream. Reads the whole file. Throws as `listPackets`. */
export async function countPacketBytes(
  tools: FfmpegTools,
  path: string,
  streamIndex: number,
  signal?: AbortSignal,
): Promise<number> {
  let bytes = 0;
  const lines = createLineReader("ffprobe", (line) => {
    bytes += Number(/^\d+/.exec(line)?.[0] ?? 0);
  });
  const what = ["-select_streams", String(streamIndex), "-show_entries", "packet=size", "-of", "csv=p=0"];
  const result = await runProcess(
    tools.ffprobePath,
    [...PROBE_ARGUMENTS, ...what, ...inputArguments({ path, isRecording: true })],
    // Lines are added up, not kept.
    { timeoutMs: tools.timeoutMs, signal, onOutput: lines.feed, maxOutputBytes: Number.POSITIVE_INFINITY },
  );
  lines.end();
  requireSuccess("ffprobe", result);
  return bytes;
}
