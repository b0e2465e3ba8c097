import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { convertFile } from "../../src/pipelines/convert/convert-file.ts";
import { CONVERT_SETTINGS, type Target } from "../../src/pipelines/convert/options.ts";
import { losePackets } from "../support/lose-packets.ts";
import { listFaults } from "./faults.ts";
import { readMedia } from "./read-media.ts";
import { sourceOf } from "./sources.fixture.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-spans-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Made {
  readonly spans: number;
  readonly faults: readonly string[];
  readonly findings: readonly string[];
}

async function convert(id: string, to: Target, settings: object = {}): Promise<Made> {
  const source = sourceOf(id);
  const container = to === "h264" || to === "hevc" ? "mp4" : "webm";
  const output = join(folder, `${id}.${to}.${container}`);
  const { spans, findings } = await convertFile({
    input: source.path,
    output,
    settings: CONVERT_SETTINGS.parse({ to, ...settings }),
    environment: process.env,
    cores: 2,
    minSpanSeconds: 0.7,
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  const faults = listFaults(await readMedia(source.path), await readMedia(output), source.facts, container);
  return { spans, faults, findings };
}

describe("spans that are encoded alone and joined", () => {
  it.each([
    ["long-gop", "vp9", "8"],
    ["vfr-mkv", "vp9", "8"],
    ["open-gop-hevc", "vp9", "8"],
    ["ts-wrap", "vp9", "8"],
    ["vfr-mkv", "h264", "ultrafast"],
    ["mpeg2-tff", "h264", "ultrafast"],
    ["edit-list", "h264", "ultrafast"],
    ["open-gop-hevc", "hevc", "ultrafast"],
    ["ts-wrap", "hevc", "ultrafast"],
  ] as const)("show every picture of %s once, at its own time, in %s", async (id, to, preset) => {
    const { spans, faults } = await convert(id, to, { preset, hardware: "off" });
    expect(spans).toBeGreaterThan(2);
    expect(faults).toEqual([]);
  });

  it("are joined for AV1, too", async () => {
    const { spans, faults } = await convert("cfr25", "av1", { preset: "8", height: 90 });
    expect(spans).toBeGreaterThan(2);
    expect(faults.filter((fault) => !fault.startsWith("shown as"))).toEqual([]);
  });

  it("name the pictures that the source's decoder lost, and keep the others at their times", async () => {
    const { faults, findings } = await convert("open-start", "vp9", { preset: "8" });
    expect(faults).toEqual([]);
    expect(findings.join()).toMatch(/3 pictures of span 1 could not be decoded/);
  });

  it.each([
    ["none of whose pictures decodes", "hole.mp4", makeHole, 40],
    ["whose pictures have other colours", "colours.ts", makeColours, 80],
  ])("are encoded as one where there is one %s", async (_name, name, make, pictures) => {
    const path = join(folder, name);
    make(path);
    const output = join(folder, `${name}.mp4`);
    const report = await convertFile({
      ...{ input: path, output, environment: process.env, cores: 2, minSpanSeconds: 2, clock: systemClock },
      settings: CONVERT_SETTINGS.parse({ to: "h264", reencode: true, preset: "ultrafast", hardware: "off" }),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    expect(report).toMatchObject({ pictures, spans: 1 });
    expect(report.findings.join()).toMatch(/Encoded in \d+ spans.*The spans did not fit together/);
  });

  it("leave nothing behind but the output", () => {
    const left = readdirSync(folder).filter((name) => name.startsWith("."));
    expect(left).toEqual([]);
  });
});

function encodeClip(path: string, seconds: number, more: readonly string[]): void {
  const pictures = ["-f", "lavfi", "-i", `testsrc2=s=160x90:r=5:d=${seconds}`];
  const coding = ["-preset", "ultrafast", "-g", "5", "-bf", "0", "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, ...coding, ...more, path]);
}

/** 16 s, of which half does not decode. */
function makeHole(path: string): void {
  encodeClip(path, 16, ["-c:v", "libx264"]);
  losePackets(path, (seconds) => seconds > 2.1 && seconds < 10.1);
}

/** As broadcasts go from one programme to the next. */
function makeColours(path: string): void {
  const tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];
  const halves = [[], tags].map((more, index) => {
    const half = `${path}.${index}.ts`;
    encodeClip(half, 8, ["-c:v", "libx264", ...more, "-output_ts_offset", String(8 * index)]);
    return readFileSync(half);
  });
  writeFileSync(path, Buffer.concat(halves));
}
