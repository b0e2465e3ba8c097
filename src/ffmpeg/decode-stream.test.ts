import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeStreams } from "./decode-stream.ts";
import { requireFfmpeg } from "./programs.ts";
import type { FfmpegTools } from "./tools.ts";

const signal = new AbortController().signal;
let tools: FfmpegTools;

beforeAll(async () => {
  tools = await requireFfmpeg(process.env);
});

function encode(graph: string): Uint8Array {
  const args = [
    "-v",
    "error",
    "-f",
    "lavfi",
    "-i",
    graph,
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-f",
    "h264",
    "-",
  ];
  return execFileSync(tools.ffmpegPath, args);
}

describe("decodeStreams", () => {
  it("gives the pictures of each stream as if it were decoded alone", async () => {
    const streams = ["testsrc2=s=96x64:r=25:d=0.2", "testsrc=s=64x48:r=25:d=0.12"].map((graph) => [encode(graph)]);
    const together = await decodeStreams(tools, "h264", streams, signal);
    const alone = await Promise.all(streams.map((stream) => decodeStreams(tools, "h264", [stream], signal)));
    expect(together.pictures.map((pictures) => pictures.length)).toEqual([5, 3]);
    expect(together.pictures).toEqual(alone.flatMap(({ pictures }) => pictures));
    expect(together.complaints).toEqual([]);
  });

  it("complains of one that cannot be decoded, and gives none of the others", async () => {
    const noise = Uint8Array.from({ length: 4096 }, (_, index) => (index * 167) & 0xff);
    const { pictures, complaints } = await decodeStreams(
      tools,
      "h264",
      [[encode("testsrc2=s=96x64:r=25:d=0.2")], [noise]],
      signal,
    );
    expect(pictures).toEqual([[], []]);
    expect(complaints.length).toBeGreaterThan(0);
  });
});
