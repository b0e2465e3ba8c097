import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { checkPresentation, type PresentationReport } from "../../media/hls/check/check-presentation.ts";
import type { RuleResult } from "../../media/hls/check/rule.ts";
import type { MultivariantPlaylist } from "../../media/hls/playlist.ts";
import { serializePlaylist } from "../../media/hls/serialize-playlist.ts";
import type { FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import { type ContentEncryption, contentEncryption, createDecrypter } from "./encrypt.ts";
import { keepsHighRange } from "./high-range.ts";
import { indexFile } from "./index-file.ts";
import { presentationOpener } from "./open-presentation.ts";
import {
  MAIN_PLAYLIST,
  type PackageHooks,
  type PackagePlan,
  type PackageReport,
  SEGMENT_SECONDS,
  type SoundPlan,
} from "./packaging.ts";
import { encodedPath } from "./parts.ts";
import { writePreview } from "./preview.ts";
import { takeTurn } from "./take-turn.ts";
import { type PictureSource, writePoster, writeThumbnails } from "./thumbnails.ts";
import { writePackedAudio, writeTransportStream } from "./transport-stream.ts";
import { checkDecodes, createPictureCheck } from "./verify.ts";
import type { EncodedStream } from "./write-media.ts";
import { writePlaylists } from "./write-playlists.ts";

/** Share of the time that decoding everything takes. */
const DECODING_SHARE = 0.8;
/** So many broken rules are told. */
const MAX_TOLD = 5;

/** Where a package is made, and of what. */
export interface PackagePlaces {
  readonly inputPath: string;
  readonly encodedFolder: string;
  readonly packageFolder: string;
  /** 16 bytes, where the plan says where players fetch them. */
  readonly contentKey: Uint8Array | undefined;
}

/**
 * Makes the package in `packageFolder`, which must not be there, of what lies in `encodedFolder`: checks the pictures, writes poster,
 * thumbnails, segments and playlists from what was measured, and asks every rule of the checker. Throws OUTPUT_NOT_VERIFIED, INPUT_TOO_SHORT,
 * FFMPEG_FAILED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED, and what the system throws.
 */
export async function finishPackage(
  plan: PackagePlan,
  places: PackagePlaces,
  hooks: PackageHooks,
): Promise<PackageReport> {
  const encryption = contentEncryption(plan, places.contentKey);
  const made = await writePackage(plan, places, encryption, hooks);
  const decrypt = encryption && createDecrypter(encryption.key);
  const open = presentationOpener(places.packageFolder);
  const report = await checkPresentation(open, MAIN_PLAYLIST, hooks.signal, decrypt);
  requireConforming(report, plan);
  hooks.onProgress(1);
  return {
    ...describeReport(made.main, report),
    pictures: made.pictures,
    durationSeconds: plan.durationSeconds,
    encoder: plan.encoders.map(({ name, preset }) => `${name}, preset ${preset}`).join("; "),
    findings: [...plan.findings, ...made.findings, ...describeShoulds(report)],
    inputBytes: statSync(places.inputPath).size,
    outputBytes: sizeOf(places.packageFolder),
  };
}

/** The package as it was written, before it was read again. */
interface WrittenPackage {
  readonly main: MultivariantPlaylist;
  /** Of every rung. */
  readonly pictures: number;
  readonly findings: readonly string[];
}

/** What is known of the encoded files goes with this: the checker takes as much memory. */
async function writePackage(
  plan: PackagePlan,
  { encodedFolder, packageFolder }: PackagePlaces,
  encryption: ContentEncryption | undefined,
  hooks: PackageHooks,
): Promise<WrittenPackage> {
  const check = createPictureCheck(plan);
  const rungs: PictureSource[] = [];
  for (const rung of plan.rungs) {
    await takeTurn(hooks.signal);
    const path = encodedPath(encodedFolder, rung);
    rungs.push({ rung, path, index: check.add(rung, path) });
  }
  const sounds: { readonly sound: SoundPlan; readonly path: string; readonly index: FragmentIndex }[] = [];
  for (const sound of plan.sounds) {
    await takeTurn(hooks.signal);
    const path = encodedPath(encodedFolder, sound);
    sounds.push({ sound, path, index: indexFile(path) });
  }
  const { pictures, findings } = check.finish();
  const streams: EncodedStream[] = [];
  for (const { path, index, ...stream } of [...rungs, ...sounds]) {
    const [name, codec] = "rung" in stream ? [stream.rung.name, stream.rung.codec] : [stream.sound.name, null];
    streams.push(await prepareStream(plan, { name, codec, path, index }, hooks.signal));
  }
  await checkDecodes(streams, pictures, { ...hooks, onProgress: (done) => hooks.onProgress(DECODING_SHARE * done) });
  mkdirSync(packageFolder);
  // What browsers and lists show has standard range.
  const standard = rungs.filter(({ rung }) => !keepsHighRange(plan.video.highRange, rung.codec));
  if (plan.thumbnails) await writePictures(standard, packageFolder, plan.durationSeconds, hooks);
  const lacks =
    plan.preview === null ? [] : await writePreview(plan.preview, standard, packageFolder, plan.durationSeconds, hooks);
  const main = await writePlaylists(plan, streams, { encodedFolder, packageFolder, encryption }, hooks.signal);
  writeFileSync(join(packageFolder, MAIN_PLAYLIST), serializePlaylist(main));
  return { main, pictures, findings: [...findings, ...lacks] };
}

/** The file that segments are cut from: as it was encoded, or made of that. */
async function prepareStream(
  { segments }: PackagePlan,
  stream: Omit<EncodedStream, "mode" | "encoded">,
  signal: AbortSignal,
): Promise<EncodedStream> {
  const encoded = { path: stream.path, index: stream.index };
  if (segments !== "ts") return { ...stream, encoded, mode: segments };
  const [mode, write] =
    stream.codec === null ? (["packed-audio", writePackedAudio] as const) : (["mpegts", writeTransportStream] as const);
  const path = `${stream.path}.${mode}`;
  return { ...stream, encoded, mode, path, index: await write(encoded, path, signal) };
}

/** The poster from the largest rung, the small pictures from the smallest. */
async function writePictures(
  rungs: readonly PictureSource[],
  folder: string,
  durationSeconds: number,
  hooks: PackageHooks,
): Promise<void> {
  const [largest, smallest] = [rungs[0], rungs.at(-1)];
  if (largest === undefined || smallest === undefined) return;
  await writePoster(largest, folder, durationSeconds, hooks);
  await writeThumbnails(smallest, folder, durationSeconds, hooks);
}

function requireConforming({ rules, isConforming }: PresentationReport, { durationSeconds }: PackagePlan): void {
  if (isConforming) return;
  const broken = rules.filter(({ level, outcome }) => level === "must" && outcome === "failed");
  // Over so little time the first picture alone may be more than that, however few bits it has.
  if (durationSeconds < SEGMENT_SECONDS / 2 && broken.every(({ id }) => id === "variant-for-cellular")) {
    const length = `The recording lasts ${Number(durationSeconds.toFixed(3))} s`;
    throw new ReelmillError("INPUT_TOO_SHORT", `${length}: not even its smallest rung keeps to 192 kbit/s.`);
  }
  const told = broken.slice(0, MAX_TOLD).map(describeBroken);
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The package breaks rules of HLS: ${told.join("; ")}.`);
}

function describeBroken({ id, findings: [finding] }: RuleResult): string {
  return finding === undefined ? id : `${id} (${finding.where}: ${finding.message})`;
}

/** Rules that should be kept, and are not. */
function describeShoulds({ rules }: PresentationReport): readonly string[] {
  const broken = rules.filter(({ level, outcome }) => level === "should" && outcome === "failed").slice(0, MAX_TOLD);
  return broken.map((rule) => `A rule that should be kept is broken: ${describeBroken(rule)}`);
}

function describeReport(
  main: MultivariantPlaylist,
  { rules }: PresentationReport,
): Pick<PackageReport, "variants" | "rules"> {
  const count = (outcome: string, level?: string): number =>
    rules.filter((rule) => rule.outcome === outcome && (level === undefined || rule.level === level)).length;
  return {
    variants: main.variants.map((variant) => ({
      name: [variant.uri.split("/")[0] ?? "", ...(variant.audioGroupId === "surround" ? ["surround"] : [])].join(" + "),
      resolution: variant.resolution ? `${variant.resolution.widthPixels}x${variant.resolution.heightPixels}` : null,
      framesPerSecond: variant.framesPerSecond ?? null,
      codecs: variant.codecs ?? [],
      peakBitsPerSecond: variant.bandwidthBitsPerSecond,
      averageBitsPerSecond: variant.averageBandwidthBitsPerSecond ?? 0,
    })),
    rules: {
      passed: count("passed"),
      mustsFailed: count("failed", "must"),
      shouldsFailed: count("failed", "should"),
    },
  };
}

function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
