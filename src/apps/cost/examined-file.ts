import { ReelmillError } from "../../base/errors.ts";
import { chooseVideo } from "../../ffmpeg/choose-streams.ts";
import { probeManifest } from "../../ffmpeg/manifest.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";

/** A recording by its headers; null is what they do not tell, as those of damaged ones. */
export interface ExaminedFile {
  readonly bytes: number;
  readonly seconds: number | null;
  /** Upright, in pixels. */
  readonly widthPixels: number | null;
  readonly heightPixels: number | null;
  readonly framesPerSecond: number | null;
}

/** A file of which only the size is known. */
export function unexamined(bytes: number): ExaminedFile {
  return { bytes, seconds: null, widthPixels: null, heightPixels: null, framesPerSecond: null };
}

/** Looks at a local recording; what ffprobe cannot open is only as large as it is. Throws FFMPEG_TIMEOUT, ABORTED. */
export async function examineFile(
  tools: FfmpegTools,
  path: string,
  bytes: number,
  signal?: AbortSignal,
): Promise<ExaminedFile> {
  try {
    const manifest = await probeManifest(tools, path, signal);
    const video = chooseVideo(manifest);
    if (video === undefined) return { ...unexamined(bytes), seconds: manifest.durationSeconds ?? null };
    const { widthPixels, heightPixels, rotationDegrees, frameRate } = video;
    const isTurned = rotationDegrees % 180 !== 0;
    return {
      bytes,
      seconds: manifest.durationSeconds ?? null,
      widthPixels: isTurned ? heightPixels : widthPixels,
      heightPixels: isTurned ? widthPixels : heightPixels,
      framesPerSecond: frameRate === undefined ? null : frameRate.numerator / frameRate.denominator,
    };
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "FFMPEG_FAILED") return unexamined(bytes);
    throw error;
  }
}

/** Looks at an object, at its size alone where `isSizeEnough`; undefined where there is none. */
export type ExamineObject = (key: string, isSizeEnough: boolean) => Promise<ExaminedFile | undefined>;

/** So many are kept, because a form that is filled in asks again and again. */
const KEPT = 200;

/**
 * Looks at the objects of a store that lends them without a copy, with one ffprobe at a time; `findTools` gives undefined where there is
 * none. What was seen of an object is kept until it changes.
 */
export function createObjectExaminer(
  objects: Pick<ObjectStore, "head" | "withLocalFile">,
  findTools: () => Promise<FfmpegTools | undefined>,
  signal: AbortSignal,
): ExamineObject {
  const seen = new Map<string, { readonly modifiedAtMs: number; readonly file: ExaminedFile }>();
  let before: Promise<unknown> = Promise.resolve();
  const look = async ({ key, bytes, modifiedAtMs }: ObjectInfo): Promise<ExaminedFile> => {
    const kept = seen.get(key);
    if (kept?.modifiedAtMs === modifiedAtMs && kept.file.bytes === bytes) return kept.file;
    const tools = await findTools();
    if (tools === undefined) return unexamined(bytes);
    const file = await objects.withLocalFile(key, (path) => examineFile(tools, path, bytes, signal));
    seen.delete(key);
    seen.set(key, { modifiedAtMs, file });
    const [oldest] = seen.keys();
    if (seen.size > KEPT && oldest !== undefined) seen.delete(oldest);
    return file;
  };
  return async (key, isSizeEnough) => {
    const info = await objects.head(key);
    if (info === undefined) return undefined;
    if (isSizeEnough) return unexamined(info.bytes);
    const looked = before.then(() => look(info));
    // The next one has its own outcome, whatever became of this one.
    before = looked.catch(() => undefined);
    return await looked;
  };
}
