import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openFileSource } from "../../src/base/file-source.ts";
import { readInitialization } from "../../src/media/hls/check/read-initialization.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();

/** When key pictures stand, by ffprobe. */
function keySeconds(path: string): readonly string[] {
  const options = ["-v", "error", "-allowed_extensions", "ALL", "-select_streams", "v:0"];
  const listing = ["-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"];
  const text = execFileSync("ffprobe", [...options, ...listing, path], { encoding: "utf8" });
  return text.split("\n").flatMap((line) => (line.includes("K") ? [line.split(",")[0] ?? ""] : []));
}

describe("rungs of several codecs", () => {
  it("have key pictures at the same times, names of their own and a SCORE by which players choose", async () => {
    const input = packages.clip("three.mp4", { seconds: 5, rate: "30000/1001", size: "160x90" });
    const ladder = {
      rungs: [
        { height: 90, kbps: 120, codec: "h264" },
        { height: 90, kbps: 100 },
      ],
    };
    const { folder, main, failed } = await packages.make(input, {
      ...{ codecs: ["h264", "hevc", "av1"], ladder, speed: "fast", thumbnails: false },
    });
    expect(failed).toEqual([]);
    const pictures = main.variants.filter(({ resolution }) => resolution !== undefined);
    const kinds = new Set(pictures.map(({ codecs }) => codecs?.[0]?.slice(0, 4)));
    expect([...kinds].sort()).toEqual(["av01", "avc1", "hvc1"]);
    expect(pictures[0]?.codecs?.[0]).toMatch(/^avc1/);
    const [first, ...others] = pictures.map(({ uri }) => keySeconds(join(folder, uri)));
    expect(first).toHaveLength(3);
    for (const other of others) expect(other).toEqual(first);
    const score = (kind: string): number =>
      Math.max(...pictures.flatMap((one) => (one.codecs?.[0]?.startsWith(kind) ? (one.score ?? 0) : [])));
    expect(score("hvc1")).toBeGreaterThan(score("avc1"));
    expect(main.variants.at(-1)).toMatchObject({ codecs: ["mp4a.40.2"], score: 1 });
    expect(main.iFrameVariants).toHaveLength(pictures.length);
  });

  it("may be HEVC alone, of a rate that varies", async () => {
    const { main, failed, checked } = await packages.make(packages.source("vfr-mp4"), {
      codecs: ["hevc"],
      thumbnails: false,
    });
    expect(failed).toEqual([]);
    // No rung of so small a recording could have 2000 kbit/s.
    expect(checked.rules.find(({ id }) => id === "default-variant")?.outcome).toBe("not-applicable");
    expect(main.variants.every(({ codecs, score }) => /^(hvc1|mp4a)/.test(codecs?.[0] ?? "") && !score)).toBe(true);
  });

  it("are refused where AV1's key pictures could not stand every two seconds", async () => {
    const slowing = packages.clip("slowing.mp4", { seconds: 6, rate: "25", size: "64x64" }, [
      ...["-vf", "select='lt(t,3)+not(mod(n,5))'", "-fps_mode", "vfr"],
    ]);
    const refused = packages.make(slowing, { codecs: ["h264", "av1"] });
    await expect(refused).rejects.toMatchObject({ code: "PARAMS_INVALID", message: expect.stringContaining("av1") });
  });

  it("are refused where the ladder and the codecs do not fit", async () => {
    const ladder = { rungs: [{ height: 90, kbps: 100, codec: "hevc" }] };
    const input = packages.source("cfr25");
    await expect(packages.make(input, { ladder })).rejects.toThrow("hevc, which is not among codecs");
    const none = packages.make(input, { ladder, codecs: ["hevc", "h264"] });
    await expect(none).rejects.toMatchObject({ code: "PARAMS_INVALID" });
  });
});

describe("the range of AV1 pictures", () => {
  it("is told by the sequence header where no colr box tells it", () => {
    const path = join(packages.root, "pq.mp4");
    const encode = [
      "-c:v",
      "libaom-av1",
      "-cpu-used",
      "8",
      "-vf",
      "setparams=color_trc=smpte2084",
      "-movflags",
      "-write_colr",
    ];
    const input = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=5:d=0.4"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...input, ...encode, path]);
    const source = openFileSource(path);
    const [track] = readInitialization(source, 0, source.sizeBytes);
    source.close();
    expect(track?.facts).toMatchObject({ kind: "video", range: "PQ", widthPixels: 64 });
  });
});
