import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Comparison, compareMedia } from "./compare.ts";
import { type Media, readMedia } from "./read-media.ts";
import { sourceOf } from "./sources.fixture.ts";

const X264 = "-c:v libx264 -preset ultrafast -crf 28 -threads 1 -fps_mode passthrough";
const AAC = "-c:a aac -b:a 128k";

let folder: string;
let sourcePath: string;
let source: Media;
let count = 0;

function pathOf(id: string): string {
  return sourceOf(id).path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-compare-"));
  sourcePath = pathOf("cfr25");
  source = await readMedia(sourcePath);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is found in a file that ffmpeg makes of the source, which it is given twice: for pictures and for sound. */
async function compareWith(args: string, extension = "mp4", before = ""): Promise<Comparison> {
  count += 1;
  const path = join(folder, `${count}.${extension}`);
  const words = `${before} -i ${sourcePath} -map 0:v -map 1:a ${X264} ${AAC} ${args} ${path}`.split(" ");
  const inputs = ["-nostdin", "-v", "error", "-i", sourcePath, ...words.filter((word) => word !== "")];
  execFileSync("ffmpeg", inputs, { stdio: "pipe" });
  return compareMedia(source, await readMedia(path));
}

describe("comparing an output with its source", () => {
  it("finds nothing in a good one", async () => {
    const { pictures, sounds, pictureStartErrorMs, outputStartMs } = await compareWith("-bf 2");
    expect(pictures).toMatchObject({ sourceCount: 100, outputCount: 100, lost: [], doubled: [], backwards: [] });
    expect(pictures.spacingErrorMs).toBe(0);
    expect(pictures.worstPsnrDb).toBeGreaterThan(30);
    expect([pictureStartErrorMs, outputStartMs]).toEqual([0, 0]);
    expect(sounds).toHaveLength(1);
    expect(sounds[0]?.offsetsMs).toHaveLength(5);
    for (const offset of sounds[0]?.offsetsMs ?? []) expect(Math.abs(offset)).toBeLessThan(0.1);
  });

  it("finds no drift behind the rounded times of WebM, but that ffmpeg sets the sound before the pictures", async () => {
    const webm = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus";
    const { pictures, sounds } = await compareWith(webm, "webm");
    expect(pictures).toMatchObject({ outputCount: 100, lost: [], doubled: [], backwards: [] });
    expect(pictures.spacingErrorMs).toBeLessThanOrEqual(0.5);
    const offsets = sounds[0]?.offsetsMs ?? [];
    expect(Math.max(...offsets) - Math.min(...offsets)).toBeLessThan(0.1);
    // The decoder's delay of 312 samples at 48 kHz is taken off the pictures' times only.
    for (const offset of offsets) expect(Math.abs(offset)).toBeLessThan(8);
  });

  it("names a picture that was lost", async () => {
    const { pictures } = await compareWith("-vf select='not(eq(n\\,41))'");
    expect(pictures).toMatchObject({ outputCount: 99, lost: [41], doubled: [], backwards: [], spacingErrorMs: 0 });
  });

  it("names one that took the place of another, though the count is right", async () => {
    const { pictures } = await compareWith("-vf loop=loop=1:size=1:start=30,select='not(eq(n\\,60))'");
    expect(pictures).toMatchObject({ outputCount: 100, lost: [59], doubled: [29] });
  });

  it("names two that changed places", async () => {
    const { pictures } = await compareWith("-frames:v 99 -vf shuffleframes=0|2|1");
    expect(pictures.backwards.length).toBeGreaterThan(30);
  });

  it("measures a time that is wrong, and not one that all share", async () => {
    const one = await compareWith("-enc_time_base 1:90000 -vf setpts='PTS+eq(N\\,50)*0.004/TB'");
    expect(one.pictures.spacingErrorMs).toBeCloseTo(2, 1);
    const all = await compareWith("-vf setpts=PTS+0.2/TB");
    expect(all.pictures.spacingErrorMs).toBeCloseTo(0, 6);
    expect(all.pictureStartErrorMs).toBeCloseTo(200, 1);
  });

  it("measures sound that is late, and sound that drifts", async () => {
    const late = await compareWith("-af adelay=240S:all=1");
    for (const offset of late.sounds[0]?.offsetsMs ?? [Number.NaN]) expect(offset).toBeCloseTo(5, 1);
    expect(late.sounds[0]?.likeness).toBeGreaterThan(0.9);
    const drifting = await compareWith("-af asetrate=48024,aresample=48000");
    const [first = 0, last = 0] = [drifting.sounds[0]?.offsetsMs.at(0), drifting.sounds[0]?.offsetsMs.at(-1)];
    // 0.05 % over the 3.2 s between the first place and the last one.
    expect(last - first).toBeLessThan(-1);
    expect(last - first).toBeGreaterThan(-2.5);
  });

  it("tells another sound, and another picture", async () => {
    const { sounds } = await compareWith("-af areverse");
    expect(sounds[0]?.likeness).toBeLessThan(0.5);
    const { pictures } = await compareWith("-vf negate");
    expect(pictures.worstPsnrDb).toBeLessThan(15);
  });
});

/** The pictures as they lie in the file. */
function readPackets(path: string): { readonly seconds: number; readonly isKey: boolean }[] {
  const entries = ["-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"];
  const text = execFileSync("ffprobe", ["-v", "error", ...entries, path], { encoding: "utf8" });
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [seconds, flags = ""] = line.split(",");
      return { seconds: Number(seconds), isKey: flags.startsWith("K") };
    });
}

describe("the sources are what makes them hard", () => {
  it.each(["open-gop-h264", "open-gop-hevc"])("%s: pictures come before the key picture in front of them", (id) => {
    const packets = readPackets(pathOf(id));
    const leading = packets.filter((packet, index) => {
      const key = packets.slice(0, index).findLast(({ isKey }) => isKey);
      return key !== undefined && packet.seconds < key.seconds;
    });
    expect(leading.length).toBeGreaterThan(8);
  });

  it.each(["open-start", "edit-list"])("%s: not every picture of the file plays", async (id) => {
    const path = pathOf(id);
    const played = (await readMedia(path)).pictures.seconds.length;
    expect(readPackets(path).length).toBeGreaterThan(played);
  });

  it("long-gop: has one key picture", () => {
    expect(readPackets(pathOf("long-gop")).filter(({ isKey }) => isKey)).toHaveLength(1);
  });
});
