import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../../src/media/bytes/byte-source.ts";
import { scanTopLevelBoxes } from "../../src/media/isobmff/top-level.ts";
import { makeRecording } from "../support/make-recording.ts";
import { hashOf, repairAsJson } from "./workplace.fixture.ts";

/** A camera's picture has grain down to its last corner. */
const GRAIN = "-vf noise=alls=16:allf=t";
const SOUND = `${GRAIN} -c:a aac -b:a 64k`;
const H264 = `-c:v libx264 -preset veryfast -g 12 -pix_fmt yuv420p ${SOUND}`;
const BASELINE = `-c:v libx264 -preset veryfast -g 12 -profile:v baseline -pix_fmt yuv420p ${SOUND}`;
const HEVC = `-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=12:wpp=0 -pix_fmt yuv420p ${SOUND}`;
const SIZE = { widthPixels: 320, heightPixels: 180 };
/** More than one group of pictures each. */
const OWN_SECONDS = 2;
const OTHER_SECONDS = 1.5;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-misfit-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Settings {
  readonly widthPixels: number;
  readonly heightPixels: number;
}

function make(name: string, args: string, size: Settings, durationSeconds: number): string {
  const path = join(folder, name);
  writeFileSync(path, makeRecording(join(folder, "cache"), { extension: "mp4", args, durationSeconds, ...size }));
  return path;
}

/** Without its index, and with `holeBytes` zeros in the middle of the data. */
function damage(path: string, name: string, holeBytes = 0): string {
  const bytes = readFileSync(path);
  const box = scanTopLevelBoxes(createMemorySource(bytes)).find(({ type }) => type === "mdat");
  if (box === undefined) throw new Error("The recording has no mdat.");
  const damaged = bytes.subarray(0, box.offsetBytes + box.sizeBytes);
  const middle = box.offsetBytes + (box.sizeBytes >> 1);
  damaged.fill(0, middle, middle + holeBytes);
  writeFileSync(join(folder, name), damaged);
  return join(folder, name);
}

describe("a reference of the same codec with other settings", () => {
  const pairs: readonly (readonly [what: string, own: string, other: string, size: Settings])[] = [
    ["H.264 a little lower", H264, H264, { widthPixels: 320, heightPixels: 160 }],
    ["H.264 larger", H264, H264, { widthPixels: 480, heightPixels: 272 }],
    ["H.264 upright", H264, H264, { widthPixels: 180, heightPixels: 320 }],
    ["H.264 of another profile", H264, `${H264} -profile:v main`, SIZE],
    ["H.264 with another coder", H264, `${H264} -coder 0`, SIZE],
    ["H.264 with other quantisers", H264, `${H264} -crf 35`, SIZE],
    ["H.264 without B pictures", H264, `${H264} -bf 0`, SIZE],
    ["H.264 Baseline, smaller", BASELINE, BASELINE, { widthPixels: 240, heightPixels: 128 }],
    ["H.264 Baseline with more references", BASELINE, `${BASELINE} -refs 4`, SIZE],
    ["HEVC smaller", HEVC, HEVC, { widthPixels: 192, heightPixels: 128 }],
    ["HEVC larger", HEVC, HEVC, { widthPixels: 480, heightPixels: 272 }],
    ["HEVC with other blocks", HEVC, HEVC.replace("wpp=0", "wpp=0:ctu=16"), SIZE],
    ["AAC of one channel", H264, `${H264} -ac 1`, SIZE],
  ];

  it.each(pairs)("%s is refused", async (what, own, other, size) => {
    const id = what.replaceAll(/\W+/g, "-");
    const damaged = damage(make(`${id}.own.mp4`, own, SIZE, OWN_SECONDS), `${id}.damaged.mp4`);
    const reference = make(`${id}.other.mp4`, other, size, OTHER_SECONDS);
    const before = readdirSync(folder).length;
    const { exit, files } = await repairAsJson(damaged, "-r", reference);
    expect([exit, files[0]?.error?.code]).toEqual([1, "REFERENCE_MISMATCH"]);
    expect(files[0]?.error?.message).toMatch(/its (video|audio) track \((h264|hevc|aac), /);
    expect(readdirSync(folder)).toHaveLength(before);
  });

  it.each(["--dry-run", "--in-place"])("is refused with %s, and the file stays as it was", async (option) => {
    const damaged = damage(make("kept.own.mp4", H264, SIZE, OWN_SECONDS), "kept.damaged.mp4");
    const before = hashOf(damaged);
    const reference = make("kept.other.mp4", H264, { widthPixels: 320, heightPixels: 160 }, OTHER_SECONDS);
    const { files } = await repairAsJson(damaged, "-r", reference, option);
    expect([files[0]?.error?.code, hashOf(damaged)]).toEqual(["REFERENCE_MISMATCH", before]);
  });

  it("is named with the one advice where it was found nearby", async () => {
    mkdirSync(join(folder, "near"));
    make("near/other.mp4", H264, { widthPixels: 320, heightPixels: 160 }, OTHER_SECONDS);
    const { files } = await repairAsJson(damage(make("near.own.mp4", H264, SIZE, OWN_SECONDS), "near/damaged.mp4"));
    const message = files[0]?.error?.message ?? "";
    expect(message).toContain("Tried without success: other.mp4 (The reference ");
    expect(message.match(/Give a /g)).toHaveLength(1);
    expect(message).toMatch(/ Give a healthy recording of the same device and settings with -r\.$/);
  });

  it("makes room for one that fits", async () => {
    const damaged = damage(make("room.own.mp4", H264, SIZE, OWN_SECONDS), "room.damaged.mp4");
    const others = [
      make("room.low.mp4", H264, { widthPixels: 320, heightPixels: 160 }, OTHER_SECONDS),
      make("room.coarse.mp4", `${H264} -crf 35`, SIZE, OTHER_SECONDS),
    ];
    const fitting = make("room.fitting.mp4", H264, SIZE, OTHER_SECONDS);
    const { files } = await repairAsJson(damaged, "-r", ...others, fitting);
    expect(files[0]).toMatchObject({ status: "repaired", references: [fitting] });
    expect(files[0]?.notices.join()).toContain("Learnt from room.fitting.mp4");
  });
});

describe("a reference with the same settings", () => {
  it.each([
    ["H.264", H264],
    ["H.264 Baseline", BASELINE],
    ["HEVC", HEVC],
  ])("is not blamed for a hole: %s", async (what, args) => {
    const id = what.replaceAll(/\W+/g, "-");
    const reference = make(`${id}.same.mp4`, args, SIZE, OTHER_SECONDS);
    const damaged = damage(make(`${id}.whole.mp4`, args, SIZE, 6), `${id}.holed.mp4`, 16_384);
    const { files } = await repairAsJson(damaged, "-r", reference, "--dry-run");
    expect(files[0]).toMatchObject({ status: "repairable", references: [reference] });
  });
});
