import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { checkPresentation, type PresentationReport } from "../../src/media/hls/check/check-presentation.ts";
import { parsePlaylist } from "../../src/media/hls/parse-playlist.ts";
import type { MultivariantPlaylist } from "../../src/media/hls/playlist.ts";
import { createDecrypter } from "../../src/pipelines/hls/encrypt.ts";
import { HLS_SETTINGS, type PackageReport, packageFile } from "../../src/pipelines/hls/index.ts";
import { presentationOpener } from "../../src/pipelines/hls/open-presentation.ts";
import { sourceOf } from "../convert/sources.fixture.ts";
import { writeSteadyFfmpeg } from "../support/steady-ffmpeg.ts";

/** A package as it lies on disk. */
export interface Packaged {
  readonly folder: string;
  readonly report: PackageReport;
  readonly main: MultivariantPlaylist;
  readonly checked: PresentationReport;
  /** The musts that failed. */
  readonly failed: readonly string[];
}

/** What a device would make of the pictures, and that one is looked for, is for tests of their own; looking takes a start of ffmpeg. */
const QUICK = { preset: "ultrafast", hardware: "off" } as const;

/** Where a package goes, instead of a folder of its own, and what stops it. */
interface Placing {
  readonly folder?: string;
  readonly signal?: AbortSignal;
  readonly spanSeconds?: number;
  /** Whether another package of the same input is to have the same pictures, bit for bit. */
  readonly isRepeatable?: boolean;
}

/** Makes packages of clips in a temporary folder, which goes when the suite ends. */
export function createPackages() {
  const root = mkdtempSync(join(tmpdir(), "reelmill-hls-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  let outputs = 0;
  return {
    root,
    source: (id: string): string => sourceOf(id).path,
    /** Pictures that cost bits, with a tone. */
    clip: (
      name: string,
      { seconds, rate, size }: { seconds: number; rate: string; size: string },
      more: readonly string[] = [],
    ): string => {
      const path = join(root, name);
      const pictures = ["-f", "lavfi", "-i", `testsrc2=s=${size}:r=${rate},noise=alls=20:allf=t`];
      const sound = ["-f", "lavfi", "-i", "sine=r=44100"];
      const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"];
      const length = ["-t", String(seconds)];
      execFileSync("ffmpeg", [
        "-nostdin",
        "-v",
        "error",
        "-y",
        ...pictures,
        ...sound,
        ...length,
        ...codecs,
        ...more,
        path,
      ]);
      return path;
    },
    /** Pictures as a graph of lavfi gives them, at its own times, and further inputs, in MP4. */
    encode: (name: string, pictures: string, inputs: readonly string[] = []): string => {
      const path = join(root, name);
      const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
      const times = ["-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-video_track_timescale", "90000"];
      const all = ["-f", "lavfi", "-i", pictures, ...inputs, ...codecs, ...times];
      execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...all, path]);
      return path;
    },
    make: async (
      input: string,
      settings: object = {},
      contentKey?: Uint8Array,
      placing: Placing = {},
    ): Promise<Packaged> => {
      const { folder = join(root, `package-${outputs++}`), signal = new AbortController().signal } = placing;
      const steady = placing.isRepeatable ? { REELMILL_FFMPEG: writeSteadyFfmpeg(root) } : {};
      const report = await packageFile({
        ...{ input, output: folder, environment: { ...process.env, ...steady }, signal },
        settings: HLS_SETTINGS.parse({ ...QUICK, ...settings }),
        ...{ contentKey, spanSeconds: placing.spanSeconds },
        onProgress: () => undefined,
      });
      const main = parsePlaylist(readFileSync(join(folder, "main.m3u8"), "utf8"));
      if (main.kind !== "multivariant") throw new Error("main.m3u8 is no multivariant playlist");
      const decrypt = contentKey && createDecrypter(contentKey);
      const checked = await checkPresentation(presentationOpener(folder), "main.m3u8", signal, decrypt);
      const failed = checked.rules.flatMap(({ id, level, outcome }) =>
        level === "must" && outcome === "failed" ? [id] : [],
      );
      return { folder, report, main, checked, failed };
    },
  };
}
