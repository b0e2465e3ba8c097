import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { requireFfmpeg } from "../../src/ffmpeg/programs.ts";
import { createJobsClient } from "./jobs.fixture.ts";
import { findFreePort, startServer } from "./server.fixture.ts";

interface Job {
  readonly id: string;
  readonly status: string;
  readonly error: unknown;
  readonly result: { readonly report: { readonly pictures: number; readonly findings: readonly string[] } } | null;
}

const folder = mkdtempSync(join(tmpdir(), "reelmill-hls-killed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An ffmpeg that notes what it encodes, and stands still at the second span until it is killed, the first time. */
async function makeStallingFfmpeg(): Promise<{
  readonly path: string;
  readonly log: string;
  readonly stalled: string;
}> {
  const { ffmpegPath } = await requireFfmpeg(process.env);
  const [path, log, stalled] = ["ffmpeg", "log", "stalled"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const script = `#!/bin/sh
case "$*" in
*span-00001*) echo 1 >> "${log}"; if [ ! -e "${stalled}" ]; then echo $$ > "${stalled}"; exec sleep 600; fi;;
*span-00000*) echo 0 >> "${log}";;
*span-00002*) echo 2 >> "${log}";;
esac
exec "${ffmpegPath}" "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  writeFileSync(log, "");
  return { path, log, stalled };
}

it("loses no more than a span's work where a worker is killed", async () => {
  const clip = join(folder, "clip.mp4");
  const pictures = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=5:d=300"];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, "-c:v", "libx264", "-preset", "ultrafast", clip]);
  const { path, log, stalled } = await makeStallingFfmpeg();
  const server = await startServer(folder, await findFreePort(), { REELMILL_FFMPEG: path });
  try {
    const { put, submit, ended } = createJobsClient<Job>(() => server);
    await put("uploads/clip.mp4", readFileSync(clip));
    const ladder = { rungs: [90, 46].map((height) => ({ height, kbps: height })) };
    const params = { input: "uploads/clip.mp4", preset: "ultrafast", hardware: "off", thumbnails: false, ladder };
    const { id } = await submit("hls", params);
    while (!existsSync(stalled)) await delay(50);
    for (const worker of server.workers()) process.kill(worker, "SIGKILL");
    process.kill(Number(readFileSync(stalled, "utf8")), "SIGKILL");
    const job = await ended(id);
    expect({ status: job.status, error: job.error }).toEqual({ status: "succeeded", error: null });
    expect(job.result?.report.pictures).toBe(1500);
    expect(job.result?.report.findings).toContain("Encoded in 3 spans, each a task of its own.");
    expect(readFileSync(log, "utf8").split("\n").filter(Boolean)).toEqual(["0", "1", "1", "2"]);
  } finally {
    await server.stop();
  }
});
