import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRecording } from "../../../test/support/make-recording.ts";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import type { Movie } from "../../media/isobmff/movie.ts";
import { forEachSample } from "../../media/isobmff/sample-table.ts";
import type { Learnt } from "../../repair/repair-source.ts";
import { triage } from "../../repair/triage.ts";
import { FILES } from "./recordings.ts";
import { requireFit } from "./reference-fit.ts";

/** Grain, as of a camera, so that every picture has something to say down to its last corner. */
const H264 = "-vf noise=alls=16:allf=t -an -c:v libx264 -preset veryfast -g 8 -pix_fmt yuv420p";
const MPEG4 = "-an -c:v mpeg4 -q:v 4";

let folder: string;
const open: FileSource[] = [];
const environment = process.env;
const signal = new AbortController().signal;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-fit-"));
});

afterAll(() => {
  for (const source of open) source.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Clip {
  readonly source: FileSource;
  readonly movie: Movie;
}

/** A clip of 1.6 s; `change` alters its bytes once its index was read. */
function makeClip(
  name: string,
  args: string,
  heightPixels = 180,
  change?: (bytes: Uint8Array, movie: Movie) => void,
): Clip {
  const recipe = { extension: "mp4", args, durationSeconds: 1.6, widthPixels: 320, heightPixels };
  const bytes = makeRecording(join(folder, "cache"), recipe);
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const source = openFileSource(path);
  open.push(source);
  const movie = triage(source).movies[0]?.movie;
  if (movie === undefined) throw new Error("The clip has no index.");
  change?.(bytes, movie);
  writeFileSync(path, bytes);
  return { source, movie };
}

/** What a scan of `damaged` would have learnt from `reference`: its packets, described as the reference's are. */
function learntFrom(damaged: Clip, reference: Clip): Learnt {
  const tracks = damaged.movie.tracks.map((track, index) => ({
    ...track,
    sampleEntries: reference.movie.tracks[index]?.sampleEntries ?? [],
  }));
  const { movie, source } = reference;
  return { movie: { ...damaged.movie, tracks }, reference: { name: source.path, movie } };
}

const SOUND = { findings: [], confidence: 1 };

describe("requireFit", () => {
  it("lets a recording with the same settings pass", async () => {
    const [damaged, reference] = [makeClip("same.mp4", H264), makeClip("same-reference.mp4", H264)];
    await requireFit(damaged.source, learntFrom(damaged, reference), SOUND, { environment, signal }, FILES);
  });

  it("refuses one of another picture height, with its name and what its track is", async () => {
    const [damaged, reference] = [makeClip("own.mp4", H264), makeClip("other.mp4", H264, 160)];
    const fit = requireFit(damaged.source, learntFrom(damaged, reference), SOUND, { environment, signal }, FILES);
    await expect(fit).rejects.toMatchObject({
      code: "REFERENCE_MISMATCH",
      message: expect.stringMatching(
        /other\.mp4 does not fit: its video track \(h264, 320×160\) has the damaged file's codec, but /,
      ),
    });
  });

  it("does not blame it for pictures that are damaged themselves", async () => {
    const spoil = (bytes: Uint8Array, { tracks }: Movie): void => {
      // The insides of every third picture, where the scan sees nothing.
      const [video] = tracks;
      if (video === undefined) throw new Error("The clip has no track.");
      forEachSample(video.samples, (sample, offset, sizeBytes) => {
        const inside = offset + (sizeBytes >> 1);
        if (sample % 3 === 0) bytes.fill(0x5a, inside, inside + (sizeBytes >> 3));
      });
    };
    const [damaged, reference] = [makeClip("spoilt.mp4", H264, 180, spoil), makeClip("spoilt-reference.mp4", H264)];
    await requireFit(damaged.source, learntFrom(damaged, reference), SOUND, { environment, signal }, FILES);
  });

  it("says nothing without ffmpeg, of other codecs, and where all lies in what is known to be damaged", async () => {
    const [damaged, reference] = [makeClip("a.mp4", H264), makeClip("b.mp4", H264, 160)];
    const learnt = learntFrom(damaged, reference);
    const withoutFfmpeg = { PATH: join(folder, "no-such-folder") };
    await requireFit(damaged.source, learnt, SOUND, { environment: withoutFfmpeg, signal }, FILES);
    const all = { kind: "lost", startOffset: 0, endOffset: damaged.source.sizeBytes, action: "" } as const;
    await requireFit(damaged.source, learnt, { findings: [all], confidence: 1 }, { environment, signal }, FILES);
    const [low, lower] = [makeClip("c.mp4", MPEG4), makeClip("d.mp4", MPEG4, 160)];
    await requireFit(low.source, learntFrom(low, lower), SOUND, { environment, signal }, FILES);
  });

  it("ends when cancelled", async () => {
    const clip = makeClip("cancelled.mp4", H264);
    const cancelled = { environment, signal: AbortSignal.abort() };
    await expect(requireFit(clip.source, learntFrom(clip, clip), SOUND, cancelled, FILES)).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
