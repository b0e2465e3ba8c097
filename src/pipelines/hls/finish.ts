import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { checkPresentation, type PresentationReport } from "../../media/hls/check/check-presentation.ts";
import { measurePlaylist } from "../../media/hls/check/measure-playlist.ts";
import type { MeasuredPlaylist, PresentationFault } from "../../media/hls/check/presentation.ts";
import type { MediaPlaylist, MultivariantPlaylist } from "../../media/hls/playlist.ts";
import { serializePlaylist } from "../../media/hls/serialize-playlist.ts";
import { type FragmentIndex, indexFragments } from "../../media/isobmff/index-fragments.ts";
import { targetDuration } from "./cut-segments.ts";
import { describeMultivariant, type MeasuredRung, type MeasuredSound, type MeasuredSubtitles } from "./multivariant.ts";
import { presentationOpener } from "./open-presentation.ts";
import { MAIN_PLAYLIST, type PackageHooks, type PackagePlan, type PackageReport } from "./packaging.ts";
import { writeSubtitles } from "./subtitles.ts";
import { type PictureSource, writePoster, writeThumbnails } from "./thumbnails.ts";
import { checkDecodes, checkPictures } from "./verify.ts";
import { encodedPath, subtitlePath } from "./work.ts";
import { type EncodedStream, I_FRAMES_PLAYLIST, SEGMENTS_PLAYLIST, writeStream } from "./write-media.ts";

/** Share of the time that decoding everything takes. */
const DECODING_SHARE = 0.8;
/** So many broken rules are told. */
const MAX_TOLD = 5;

/**
 * Makes the package in `packageFolder`, which must not be there, of what lies in `encodedFolder`: checks the pictures, writes poster,
 * thumbnails, segments and playlists from what was measured, and asks every rule of the checker. Throws OUTPUT_NOT_VERIFIED,
 * FFMPEG_FAILED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED, and what the system throws.
 */
export async function finishPackage(
  plan: PackagePlan,
  places: { readonly inputPath: string; readonly encodedFolder: string; readonly packageFolder: string },
  hooks: PackageHooks,
): Promise<PackageReport> {
  const { encodedFolder, packageFolder, inputPath } = places;
  const rungs = plan.rungs.map((rung) => {
    const path = encodedPath(encodedFolder, rung);
    return { rung, path, index: indexFile(path) };
  });
  const sounds = plan.sounds.map((sound) => {
    const path = encodedPath(encodedFolder, sound);
    return { sound, path, index: indexFile(path) };
  });
  const { pictures, findings } = checkPictures(plan, rungs);
  const streams: readonly EncodedStream[] = [
    ...rungs.map(({ rung, path, index }) => ({ name: rung.name, path, index, codec: rung.codec })),
    ...sounds.map(({ sound, path, index }) => ({ name: sound.name, path, index, codec: null })),
  ];
  await checkDecodes(streams, pictures, { ...hooks, onProgress: (done) => hooks.onProgress(DECODING_SHARE * done) });
  mkdirSync(packageFolder);
  if (plan.thumbnails) await writePictures(rungs, packageFolder, plan.durationSeconds, hooks);
  const main = await writePlaylists(plan, streams, { encodedFolder, packageFolder }, hooks.signal);
  writeFileSync(join(packageFolder, MAIN_PLAYLIST), serializePlaylist(main));
  const report = await checkPresentation(presentationOpener(packageFolder), MAIN_PLAYLIST, hooks.signal);
  requireConforming(report);
  hooks.onProgress(1);
  return {
    ...describeReport(main, report),
    pictures,
    durationSeconds: plan.durationSeconds,
    encoder: plan.encoders.map(({ name, preset }) => `${name}, preset ${preset}`).join("; "),
    findings: [...plan.findings, ...findings],
    inputBytes: statSync(inputPath).size,
    outputBytes: sizeOf(packageFolder),
  };
}

function indexFile(path: string): FragmentIndex {
  const source = openFileSource(path);
  try {
    return indexFragments(source);
  } finally {
    source.close();
  }
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

/** Writes every stream and measures it as players will find it. */
async function writePlaylists(
  { sounds, subtitles, segments: mode, video, durationSeconds }: PackagePlan,
  streams: readonly EncodedStream[],
  { encodedFolder, packageFolder: folder }: { readonly encodedFolder: string; readonly packageFolder: string },
  signal: AbortSignal,
): Promise<MultivariantPlaylist> {
  const targetSeconds = targetDuration(streams.map(({ index }) => index));
  const rungs: MeasuredRung[] = [];
  const heard: MeasuredSound[] = [];
  const measure = (playlist: MediaPlaylist, path: string): Promise<MeasuredPlaylist> =>
    measureStrictly(playlist, path, folder, signal);
  for (const stream of streams) {
    const { segments, iFrames } = writeStream(stream, folder, mode, targetSeconds);
    const media = await measure(segments, `${stream.name}/${SEGMENTS_PLAYLIST}`);
    const plan = sounds.find(({ name }) => name === stream.name);
    if (plan !== undefined) heard.push({ plan, media });
    const { name, codec } = stream;
    if (iFrames === undefined || codec === null) continue;
    const measuredFrames = await measure(iFrames, `${stream.name}/${I_FRAMES_PLAYLIST}`);
    rungs.push({ name, codec, media, iFrames: measuredFrames });
  }
  const originSeconds = (video.originTicks * video.timeBase.numerator) / video.timeBase.denominator;
  const texts: MeasuredSubtitles[] = [];
  for (const plan of subtitles) {
    const times = { originSeconds, durationSeconds, targetSeconds };
    const playlist = writeSubtitles(plan, subtitlePath(encodedFolder, plan), folder, times);
    texts.push({ plan, media: await measure(playlist, `${plan.name}/${SEGMENTS_PLAYLIST}`) });
  }
  return describeMultivariant(rungs, heard, texts);
}

async function measureStrictly(
  playlist: MediaPlaylist,
  path: string,
  folder: string,
  signal: AbortSignal,
): Promise<MeasuredPlaylist> {
  const faults: PresentationFault[] = [];
  const media = await measurePlaylist(playlist, path, presentationOpener(folder), faults, signal);
  const [fault] = faults;
  if (fault === undefined) return media;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The package cannot be read: ${fault.where}: ${fault.message}`);
}

function requireConforming({ rules, isConforming }: PresentationReport): void {
  if (isConforming) return;
  const broken = rules.filter(({ level, outcome }) => level === "must" && outcome === "failed");
  const told = broken.slice(0, MAX_TOLD).map(({ id, findings }) => {
    const [finding] = findings;
    return finding === undefined ? id : `${id} (${finding.where}: ${finding.message})`;
  });
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The package breaks rules of HLS: ${told.join("; ")}.`);
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
