import { rmSync } from "node:fs";
import { join } from "node:path";
import { runPool } from "../../base/run-pool.ts";
import { type Metric, type PictureScore, scorePictures } from "../../ffmpeg/score.ts";
import { cutFilters, seekOptions } from "../../spans/encode-span.ts";
import type { EncodedVideo } from "./conversion.ts";
import type { SampleCuts } from "./samples.ts";
import { type ConvertHooks, type Cut, describeCut, type EncodedCut, encodeCut } from "./work.ts";

/** A recording, and what is encoded to learn of the whole. */
export interface SampleSource {
  readonly inputPath: string;
  readonly samples: SampleCuts;
  /** Where samples lie while they are needed. */
  readonly folder: string;
}

/** What encoding samples needs of the world outside. */
export interface SampleHooks extends ConvertHooks {
  /** Milliseconds that never run backwards. */
  readonly monotonicMs: () => number;
}

/** What encoding samples came to, of the whole. */
export interface SampleTrial {
  /** The mean over all pictures; null where none were compared. */
  readonly score: number | null;
  readonly pictures: number;
  /** Of the pictures alone, without a container. */
  readonly bytes: number;
  readonly seconds: number;
}

/** A sample as it was encoded. */
interface EncodedSample extends EncodedCut {
  readonly cut: Cut;
  readonly path: string;
  readonly elapsedMs: number;
}

/** Encodes samples as `video` plans, and compares them with the source by a metric, if one is given. Throws what encoding and comparing throw. */
export async function trySamples(
  source: SampleSource,
  video: EncodedVideo,
  metric: Metric | null,
  hooks: SampleHooks,
): Promise<SampleTrial> {
  const encodingShare = metric === null ? 1 : 0.5;
  const made = await encodeSamples(source, video, {
    ...hooks,
    onProgress: (fraction) => hooks.onProgress(fraction * encodingShare),
  });
  const scored = { ...hooks, onProgress: (fraction: number) => hooks.onProgress(encodingShare * (1 + fraction)) };
  const score = metric === null ? null : await scoreSamples(source.inputPath, video, made, metric, scored);
  for (const { path } of made) rmSync(path, { force: true });
  const total = (of: (sample: EncodedSample) => number): number =>
    source.samples.factor * made.reduce((sum, sample) => sum + of(sample), 0);
  return {
    score,
    pictures: total(({ pictures }) => pictures),
    bytes: total(({ bytes }) => bytes),
    seconds: total(({ elapsedMs }) => elapsedMs) / 1000 / video.processes,
  };
}

/** As many at a time as the whole will be. */
async function encodeSamples(
  { inputPath, samples: { cuts }, folder }: SampleSource,
  video: EncodedVideo,
  { tools, signal, onProgress, monotonicMs }: SampleHooks,
): Promise<readonly EncodedSample[]> {
  const made: EncodedSample[] = [];
  const placed = cuts.map((cut, index) => ({ cut, path: join(folder, `sample-${index}.mp4`) }));
  await runPool(placed, video.processes, signal, async ({ cut, path }, either) => {
    const startMs = monotonicMs();
    const hooks = { tools, signal: either, onProgress: () => undefined };
    const encoded = await encodeCut(video, cut, inputPath, path, hooks);
    made.push({ ...encoded, cut, path, elapsedMs: monotonicMs() - startMs });
    onProgress(made.length / cuts.length);
  });
  return made;
}

/** The mean over all pictures; null where none came out. */
async function scoreSamples(
  inputPath: string,
  video: EncodedVideo,
  samples: readonly EncodedSample[],
  metric: Metric,
  hooks: ConvertHooks,
): Promise<number | null> {
  let sum = 0;
  let pictures = 0;
  for (const [index, sample] of samples.entries()) {
    if (sample.pictures === 0) continue;
    const compared = await scoreSample(inputPath, video, sample, metric, hooks);
    sum += compared.score * compared.pictures;
    pictures += compared.pictures;
    hooks.onProgress((index + 1) / samples.length);
  }
  return pictures > 0 ? sum / pictures : null;
}

async function scoreSample(
  inputPath: string,
  video: EncodedVideo,
  { cut, path, seekSeconds, change }: EncodedSample,
  metric: Metric,
  { tools, signal }: ConvertHooks,
): Promise<PictureScore> {
  const made = { path, options: [], streamIndex: 0, filters: [] };
  const options = seekOptions(seekSeconds);
  const filters = cutFilters(describeCut(video, cut, inputPath, change === "shape"));
  const source = { path: inputPath, options, streamIndex: video.streamIndex, filters };
  return await scorePictures(tools, metric, made, source, video.pixelFormat, signal);
}
