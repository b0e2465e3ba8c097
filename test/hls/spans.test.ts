import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parsePlaylist } from "../../src/media/hls/parse-playlist.ts";
import { indexFile } from "../../src/pipelines/hls/index-file.ts";
import { losePackets } from "../support/lose-packets.ts";
import { createPackages, type Packaged } from "./package.fixture.ts";

const packages = createPackages();
const LADDER = { rungs: [180, 90].map((height) => ({ height, kbps: height })) };
const SETTINGS = { ladder: LADDER, thumbnails: false };
const ONE_WHOLE = /The spans did not fit together.*: all was encoded once more in one\./;

/** Of each rung: when its pictures are shown, which of them stand alone, and how long its segments are. */
function describeRungs({ folder, main }: Packaged) {
  return main.variants
    .filter(({ resolution }) => resolution !== undefined)
    .map(({ uri }) => {
      const shown: number[] = [];
      const index = indexFile(join(folder, uri, "..", "media.mp4"), (ticks) => shown.push(...ticks));
      const playlist = parsePlaylist(readFileSync(join(folder, uri), "utf8"));
      return {
        seconds: shown.map((ticks) => ticks / index.timescale),
        keys: Array.from(index.fragments, ({ startTicks }) => startTicks / index.timescale),
        segments: playlist.kind === "media" ? playlist.segments.map(({ durationSeconds }) => durationSeconds) : [],
      };
    });
}

/** Packages a recording in spans and as a whole; they must be the same but for the bits. Gives the first. */
async function packAlike(input: string, spanSeconds: number, settings: object = SETTINGS): Promise<Packaged> {
  const whole = await packages.make(input, settings);
  const cut = await packages.make(input, settings, undefined, { spanSeconds });
  expect(cut.report.findings.join()).toMatch(/Encoded in [2-9] spans, each a task of its own/);
  expect(cut.failed).toEqual([]);
  expect(describeRungs(cut)).toEqual(describeRungs(whole));
  expect(cut.report.pictures).toBe(whole.report.pictures);
  return cut;
}

/** A key picture each second, five pictures a second. */
function slowClip(name: string, pictures = "testsrc2=s=160x90:r=5:d=25"): string {
  return packages.encode(name, `${pictures},setpts=PTS-STARTPTS`, ["-g", "5"]);
}

describe("rungs whose spans are encoded alone", () => {
  it.each(["ntsc", "vfr-mkv", "open-gop-hevc", "mpeg2-tff", "edit-list", "ts-wrap"])(
    "show every picture of %s once, at its own time, as those that are encoded as a whole",
    async (id) => {
      await packAlike(packages.source(id), 2);
    },
  );

  it("have their key pictures where the whole has them, behind a gap, too", async () => {
    const cut = await packAlike(slowClip("gap.mp4", "testsrc2=s=160x90:r=5:d=27,select='not(between(t,9.7,11.1))'"), 7);
    expect(cut.report.findings.join()).toContain("4 spans");
  });

  it("are joined where a tick is not one part of a second", async () => {
    const path = join(packages.root, "ntsc.avi");
    const pictures = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=30000/1001:d=14"];
    execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, "-c:v", "mpeg4", "-bf", "0", "-g", "15", path]);
    await packAlike(path, 6);
  });

  it("are joined where pictures beside a cut do not decode", async () => {
    const input = slowClip("lost.mp4");
    losePackets(input, (seconds) => [9.8, 16, 19.6, 19.8].some((lost) => Math.abs(seconds - lost) < 0.05));
    const cut = await packAlike(input, 6);
    expect(cut.report.findings.join()).toMatch(/pictures could not be decoded from the source/);
  });

  it("are encoded as one where a span has no picture that decodes", async () => {
    const input = slowClip("hole.mp4");
    losePackets(input, (seconds) => seconds > 9 && seconds < 17);
    const cut = await packAlike(input, 6);
    expect(cut.report.findings.join()).toMatch(ONE_WHOLE);
  });

  it("are encoded as one where the pictures change their colours on the way", async () => {
    const path = join(packages.root, "colours.ts");
    const part = (name: string, more: readonly string[]): Buffer => {
      const file = join(packages.root, name);
      const pictures = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=5:d=7"];
      const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "5", "-pix_fmt", "yuv420p"];
      execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...pictures, ...coding, ...more, file]);
      return readFileSync(file);
    };
    const tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];
    writeFileSync(path, Buffer.concat([part("plain.ts", []), part("tagged.ts", [...tags, "-output_ts_offset", "7"])]));
    const cut = await packAlike(path, 6);
    expect(cut.report.findings.join()).toMatch(ONE_WHOLE);
  });

  it("are made of every codec, aligned", async () => {
    const ladder = {
      rungs: [
        { height: 90, kbps: 150 },
        { height: 72, kbps: 100 },
      ],
    };
    const cut = await packAlike(packages.source("cfr25"), 2, { ...SETTINGS, ladder, codecs: ["h264", "hevc", "av1"] });
    const [first, ...others] = describeRungs(cut);
    expect(others).toHaveLength(5);
    for (const rung of others) expect(rung).toEqual(first);
  });

  it.each([
    ["pictures are left out", "fast.mp4", ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=100:d=5", "-c:v", "libx264"]],
    ["no key picture is known", "untold.avi", ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=5", "-c:v", "mpeg4"]],
  ])("are one where %s", async (_name, name, args) => {
    const path = join(packages.root, name);
    execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...args, "-bf", "2", path]);
    const { report } = await packages.make(path, SETTINGS, undefined, { spanSeconds: 2 });
    expect(report.findings.join()).not.toContain("spans");
  });
});
