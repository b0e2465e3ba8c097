import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parsePlaylist } from "../../src/media/hls/parse-playlist.ts";
import { indexFile } from "../../src/pipelines/hls/index-file.ts";
import { createPackages, type Packaged } from "./package.fixture.ts";

const packages = createPackages();
const SPAN_SECONDS = 2;
const LADDER = { rungs: [180, 90].map((height) => ({ height, kbps: height })) };

/** Of each rung: when its pictures are shown, and how long its segments are. */
function describeRungs({ folder, main }: Packaged) {
  return main.variants
    .filter(({ resolution }) => resolution !== undefined)
    .map(({ uri }) => {
      const { index, presentationTicks } = indexFile(join(folder, uri, "..", "media.mp4"));
      const playlist = parsePlaylist(readFileSync(join(folder, uri), "utf8"));
      return {
        seconds: Array.from(presentationTicks, (ticks) => ticks / index.timescale),
        keys: index.fragments.map(({ startTicks }) => startTicks / index.timescale),
        segments: playlist.kind === "media" ? playlist.segments.map(({ durationSeconds }) => durationSeconds) : [],
      };
    });
}

describe("rungs whose spans are encoded alone", () => {
  it.each(["ntsc", "vfr-mkv", "open-gop-hevc", "mpeg2-tff", "edit-list", "ts-wrap"])(
    "show every picture of %s once, at its own time, as those that are encoded as a whole",
    async (id) => {
      const input = packages.source(id);
      const settings = { ladder: LADDER, thumbnails: false };
      const whole = await packages.make(input, settings);
      const cut = await packages.make(input, settings, undefined, { spanSeconds: SPAN_SECONDS });
      expect(cut.report.findings.join()).toMatch(/Encoded in [2-9] spans, one after the other/);
      expect(cut.failed).toEqual([]);
      expect(describeRungs(cut)).toEqual(describeRungs(whole));
      expect(cut.report.pictures).toBe(whole.report.pictures);
    },
  );

  it("are made of every codec, aligned", async () => {
    const input = packages.source("cfr25");
    const ladder = {
      rungs: [
        { height: 180, kbps: 300 },
        { height: 144, kbps: 150 },
      ],
    };
    const cut = await packages.make(input, { ladder, codecs: ["h264", "hevc", "av1"] }, undefined, {
      spanSeconds: SPAN_SECONDS,
    });
    expect(cut.failed).toEqual([]);
    const [first, ...others] = describeRungs(cut);
    expect(others).toHaveLength(5);
    for (const rung of others) expect(rung).toEqual(first);
  });

  it("are one where pictures are left out", async () => {
    const input = packages.encode("fast.mp4", "testsrc2=s=160x90:r=100:d=5");
    const { report } = await packages.make(input, { ladder: LADDER, thumbnails: false }, undefined, {
      spanSeconds: SPAN_SECONDS,
    });
    expect(report.findings.join()).not.toContain("spans");
  });
});
