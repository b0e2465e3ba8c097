import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Analysis, analyseFile } from "../../bench/repair/analyse.ts";
import { GENERATED_CASES, type GeneratedCase } from "../../bench/repair/cases.ts";
import { type Damage, planDamage, writeDamaged } from "../../bench/repair/damage.ts";
import { generatePair, listEncoders, type PairScale, type RecordingPair } from "../../bench/repair/generate.ts";
import { readLayout } from "../../bench/repair/layout.ts";
import { audioVideoDriftMs, maxTimeErrorMs, scoreTracks, type TrackScore } from "../../bench/repair/score.ts";
import { createMemorySource } from "../../src/media/bytes/byte-source.ts";
import { written } from "../../src/repair/clips.fixture.ts";
import { repairSource } from "../../src/repair/repair-source.ts";

/** Of the benchmarks' pairs, one for each kind of track and of timing. */
const KINDS = [
  ...["h264b_aac_mp4", "hevc_aac_mp4", "av1_opus_mp4", "vp9_opus_mp4", "mpeg4b_aac_mp4"],
  ...["prores_pcm_mov", "dnxhd_pcm_mov", "mjpeg_pcm_mov"],
  ...["h264_mp3_mp4", "h264_ac3_mp4", "h264_eac3_mp4", "h264_flac_mp4", "h264_alac_mp4", "h264_pcm_mov"],
  ...["h264_2aac_mp4", "h264_tmcd_mov", "h264_text_mp4", "h264vfr_aac_mp4"],
] as const;
const SHORT = { videoRate: "600k", referenceSeconds: 1.5, victimSeconds: 3, threads: 1 };
const SMALL: PairScale = { widthPixels: 160, heightPixels: 96, ...SHORT };
/** No encoder takes smaller pictures for DNxHR. */
const SMALL_DNXHR: PairScale = { widthPixels: 256, heightPixels: 120, ...SHORT };
const FRAME_MS = 1000 / 30;
/** Times are read in microseconds. */
const READ_MS = 0.001;
/** Sound comes from a source whose clock ticks once a millisecond, and stands up to half a tick off its steady times. */
const SOUND_MS = 0.5;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-every-codec-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function caseOf(id: string): GeneratedCase {
  const found = GENERATED_CASES.find((generated) => generated.id === id);
  if (found === undefined) throw new Error(`The benchmarks have no pair ${id}.`);
  return found;
}

it("has an encoder for every kind", () => {
  const wanted = KINDS.flatMap((id) => {
    const { args } = caseOf(id);
    return args.filter((_, index) => /^-c:[av]$/.test(args[index - 1] ?? ""));
  });
  const encoders = listEncoders();
  expect(wanted.filter((name) => !encoders.has(name))).toEqual([]);
});

describe.each(KINDS)("%s without its index", (id) => {
  const generated = caseOf(id);
  let pair: RecordingPair;
  let original: Analysis;

  beforeAll(async () => {
    const isDnxhr = id.startsWith("dnxhd");
    pair = await generatePair(join(folder, isDnxhr ? "dnxhr" : "small"), generated, isDnxhr ? SMALL_DNXHR : SMALL);
    original = await analyseFile(pair.victimPath);
  });

  const repair = async (damage: Damage): Promise<readonly TrackScore[]> => {
    const { victimPath, referencePath } = pair;
    const plan = planDamage(readLayout(victimPath), damage);
    const damagedPath = join(folder, `damaged${extname(victimPath)}`);
    writeDamaged(victimPath, plan, damagedPath);
    const damaged = new Uint8Array(readFileSync(damagedPath));
    const reference = createMemorySource(new Uint8Array(readFileSync(referencePath)));
    const outcome = await repairSource(createMemorySource(damaged), [{ name: "reference", source: reference }]);
    const outputPath = join(folder, `mended${extname(victimPath)}`);
    writeFileSync(outputPath, written(damaged, outcome));
    const output = await analyseFile(outputPath);
    const files = { originalPath: victimPath, outputPath };
    return await scoreTracks({ ...files, original, output, lost: plan.lost, framingBytes: 0 });
  };

  it.each(["T100", "T60"] as const)("is whole again after %s", async (damage) => {
    const tracks = await repair(damage);
    // A packet of Opus or VP9 does not tell where it ends: one that the cut went through may look whole.
    const isOpen = damage === "T60" && /opus|vp9/.test(id);
    for (const { kind, recoverable, recovered, extra, misflagged } of tracks) {
      expect({ kind, recovered, misflagged }).toEqual({ kind, recovered: recoverable, misflagged: 0 });
      expect(extra, kind).toBeLessThanOrEqual(isOpen ? 1 : 0);
    }
    expect(tracks.every((track) => track.recoverable > 0)).toBe(true);
    expect(maxTimeErrorMs(tracks, "video")).toBeLessThanOrEqual(generated.isConstantRate ? READ_MS : FRAME_MS);
    expect(maxTimeErrorMs(tracks, "audio")).toBeLessThanOrEqual(SOUND_MS);
    // Text plays when it was written, between two pictures.
    expect(maxTimeErrorMs(tracks, "other") ?? 0).toBeLessThanOrEqual(FRAME_MS);
  });

  it("lacks no more than what stands beside a hole", async () => {
    const tracks = await repair("HOLE");
    for (const { kind, recovered, recoverable, misflagged } of tracks) {
      expect(recovered, kind).toBeGreaterThanOrEqual(recoverable - 2);
      expect(misflagged, kind).toBe(0);
    }
    expect(audioVideoDriftMs(tracks)).toBeLessThan(FRAME_MS);
  });
});
