import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import { CONVERT_SETTINGS } from "./options.ts";
import { partsOf } from "./parts.ts";
import { planConversion } from "./plan.ts";

it("begins with the span that took most bytes in the source", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reelmill-plan-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "still-then-noise.mp4");
  const noise = "nullsrc=s=160x90:r=25,geq=lum='255*random(1)':cb=128:cr=128,trim=duration=2";
  execFileSync("ffmpeg", [
    ...["-nostdin", "-v", "error", "-filter_complex", `color=gray:s=160x90:r=25:d=2[a];${noise}[b];[a][b]concat`],
    ...["-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", path],
  ]);
  const plan = await planConversion(path, CONVERT_SETTINGS.parse({ to: "vp9" }), {
    tools: await requireFfmpeg(process.env),
    signal: new AbortController().signal,
    cores: 1,
    processes: 1,
    minSpanSeconds: 1,
    workFolder: async () => folder,
    clock: systemClock,
    onProgress: () => undefined,
  });

  const [still, noisy] = partsOf(plan).map(({ weight }) => weight);

  expect(partsOf(plan)).toHaveLength(2);
  expect((still ?? 0) + (noisy ?? 0)).toBe(100);
  expect(noisy).toBeGreaterThan(70);
});
