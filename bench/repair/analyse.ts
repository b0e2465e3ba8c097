import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { captureTool } from "../measuring/tools.ts";

/** One packet as ffprobe reads it, in decode order. */
export interface Packet {
  readonly presentationSeconds?: number;
  readonly sizeBytes: number;
  /** Where its bytes lie in the file; absent where the demuxer does not tell. */
  readonly offsetBytes?: number;
  readonly isKey: boolean;
  /** MD5 of the packet's bytes. */
  readonly hash: string;
}

/** One stream with all of its packets. `type` is ffprobe's: video, audio, data, subtitle, … */
export interface Stream {
  readonly index: number;
  readonly type: string;
  readonly codec: string;
  readonly packets: readonly Packet[];
}

/** What ffprobe sees in a file; no streams where it cannot read it. */
export interface Analysis {
  readonly streams: readonly Stream[];
}

/** The MD5s of a file's decoded pictures in presentation order, and how many lines of complaint the decoder wrote. */
export interface DecodedVideo {
  readonly frameHashes: readonly string[];
  readonly complaints: number;
}

/** Reads every packet of every stream with its hash. */
export async function analyseFile(path: string): Promise<Analysis> {
  const entries = "stream=index,codec_type,codec_name:packet=stream_index,pts_time,size,pos,flags,data_hash";
  const args = ["-v", "error", "-show_streams", "-show_packets", "-show_data_hash", "MD5"];
  const { stdout } = await captureTool("ffprobe", [...args, "-show_entries", entries, "-of", "compact=nk=0", path]);
  const streams = new Map<number, { type: string; codec: string; packets: Packet[] }>();
  const early = new Map<number, Packet[]>();
  // A packet's side data end its line early; what follows on the next one still belongs to it.
  for (const line of stdout.toString("latin1").replaceAll("\n|", "|").split("\n")) {
    const [section, ...fields] = line.split("|");
    // Of fields that occur again within side data, the packet's own come first in the line, so they are set last.
    const values = new Map(fields.map((field) => splitOnce(field)).reverse());
    if (section === "packet") {
      const index = Number(values.get("stream_index"));
      const list = early.get(index) ?? [];
      list.push(parsePacket(values));
      early.set(index, list);
    } else if (section === "stream") {
      const type = values.get("codec_type") ?? "unknown";
      streams.set(Number(values.get("index")), { type, codec: values.get("codec_name") ?? "", packets: [] });
    }
  }
  return {
    streams: [...streams].map(([index, stream]) => ({ index, ...stream, packets: early.get(index) ?? [] })),
  };
}

/** Decodes the first video stream and hashes each picture, timestamps left aside. */
export async function decodeVideo(path: string): Promise<DecodedVideo> {
  const input = ["-nostdin", "-v", "error", "-noautorotate", "-copyts", "-i", path];
  const output = ["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"];
  const { stdout, stderr } = await captureTool("ffmpeg", [...input, ...output]);
  const lines = stdout.toString("latin1").split("\n");
  const frames = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return {
    frameHashes: frames.map((line) => line.split(",").at(-1)?.trim() ?? ""),
    complaints: stderr.split("\n").filter((line) => line.trim() !== "").length,
  };
}

/** The bytes of one audio stream, all packets in a row, as a demuxer hands them out. */
export async function readAudioBytes(path: string, audioIndex: number): Promise<Buffer> {
  const args = ["-nostdin", "-v", "quiet", "-i", path, "-map", `0:a:${audioIndex}`, "-c", "copy", "-f", "data", "-"];
  return (await captureTool("ffmpeg", args)).stdout;
}

/** Keeps what `compute` says of a file in `folder`, until the file's size or modification time changes. */
export async function cachedByFile<T>(
  folder: string,
  path: string,
  tag: string,
  compute: (path: string) => Promise<T>,
): Promise<T> {
  const { size, mtimeMs } = statSync(path);
  const key = createHash("sha256").update(`${path}|${size}|${mtimeMs}|${tag}|2`).digest("hex").slice(0, 32);
  const cachePath = join(folder, `${key}.json`);
  if (existsSync(cachePath)) return JSON.parse(readFileSync(cachePath, "utf8")) as T;
  const value = await compute(path);
  mkdirSync(folder, { recursive: true });
  writeFileSync(cachePath, JSON.stringify(value));
  return value;
}

function splitOnce(field: string): [string, string] {
  const at = field.indexOf("=");
  return at < 0 ? [field, ""] : [field.slice(0, at), field.slice(at + 1)];
}

function parsePacket(values: ReadonlyMap<string, string>): Packet {
  const presentationSeconds = Number.parseFloat(values.get("pts_time") ?? "");
  const offsetBytes = Number.parseInt(values.get("pos") ?? "", 10);
  return {
    ...(Number.isNaN(presentationSeconds) ? {} : { presentationSeconds }),
    ...(Number.isNaN(offsetBytes) || offsetBytes < 0 ? {} : { offsetBytes }),
    sizeBytes: Number(values.get("size") ?? 0),
    isKey: values.get("flags")?.startsWith("K") ?? false,
    hash: values.get("data_hash") ?? "",
  };
}
