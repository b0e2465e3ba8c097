import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { TS_PACKET_BYTES } from "../../src/media/mpegts/ts-packet.ts";

/** Overwrites the pictures of an MP4 file whose times, in seconds, are taken, so that no decoder makes anything of them. Throws where there are none. */
export function losePackets(path: string, isLost: (seconds: number) => boolean): void {
  const entries = ["-select_streams", "v:0", "-show_entries", "packet=pts_time,pos,size", "-of", "json"];
  const { packets } = JSON.parse(execFileSync("ffprobe", ["-v", "error", ...entries, path]).toString()) as {
    readonly packets: readonly { readonly pts_time: string; readonly pos: string; readonly size: string }[];
  };
  const bytes = readFileSync(path);
  const lost = packets.filter(({ pts_time }) => isLost(Number(pts_time)));
  if (lost.length === 0) throw new Error(`${path} has no packet there.`);
  // The length in front of the first NAL unit stays, as of a sector that was never written.
  for (const { pos, size } of lost) bytes.fill(0, Number(pos) + 4, Number(pos) + Number(size));
  writeFileSync(path, bytes);
}

/** Takes packets out of an MPEG-TS file, as of a capture that began late or lost its signal: those from one share of it (0 to 1) up to another. */
export function dropTransportPackets(path: string, from: number, to: number): void {
  const bytes = readFileSync(path);
  const [start, end] = [from, to].map(
    (share) => TS_PACKET_BYTES * Math.floor((share * bytes.length) / TS_PACKET_BYTES),
  );
  writeFileSync(path, Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]));
}
