import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { forEachSample } from "../../media/isobmff/sample-table.ts";
import { boxAt, makeClip } from "../../repair/clips.fixture.ts";
import { triage } from "../../repair/triage.ts";
import { repairNatively } from "./native.ts";
import { LOCAL_PLACE } from "./place.ts";
import type { RepairTask } from "./plan.ts";
import type { ReferencePool } from "./references.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-native-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;
const hooks = { signal, onProgress: () => undefined };
/** Has no reference to offer, for a file that kept an index. */
const EMPTY_POOL: ReferencePool = {
  isNamed: false,
  hasIndex: () => true,
  choose: () => ({ paths: [], notices: [] }),
  unlike: () => [],
};

function taskFor(input: string): RepairTask {
  const options = { dryRun: true, faststart: false, verify: "none", signal, environment: {} };
  const rest = { references: EMPTY_POOL, place: LOCAL_PLACE };
  return { input, output: undefined, makesFolder: false, options, ...rest } as unknown as RepairTask;
}

/** What is copied at once. */
const COPY_BYTES = 256 * 1024;
/** So large that the copying lets other work through several times. */
const HOLE_BYTES = 256 * 1024 * 1024;

/** A recording without its index, with zeros that take no room on the disk between two of its pictures. */
function writeWithHole(path: string, clip: Uint8Array): void {
  const data = boxAt(clip, "mdat");
  let middle = data.end;
  const [video] = triage(createMemorySource(clip)).movies[0]?.movie.tracks ?? [];
  if (video === undefined) throw new Error("The clip has no track.");
  forEachSample(video.samples, (sample, offset) => {
    if (sample === 60) middle = offset;
  });
  const head = clip.slice(0, middle);
  // The data go to the end of the file.
  head.fill(0, data.start, data.start + 4);
  const descriptor = openSync(path, "w");
  try {
    writeSync(descriptor, head, 0, head.length, 0);
    ftruncateSync(descriptor, middle + HOLE_BYTES);
    writeSync(descriptor, clip, middle, data.end - middle, middle + HOLE_BYTES);
  } finally {
    closeSync(descriptor);
  }
}

/** Nothing else goes on meanwhile in this process. */
function sleep(elapsedMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, elapsedMs);
}

describe("repairNatively", () => {
  it("reads a file that tells nothing by itself once, where nothing lies near it", async () => {
    const path = join(folder, "clip.mp4");
    const noise = Uint8Array.from({ length: 200_000 }, (_, index) => Math.imul(index + 1, 2654435761) >>> 11);
    noise.set(Buffer.from("\0\0\0\x14ftypisom\0\0\x02\0isom\0\0\0\0mdat", "latin1"));
    writeFileSync(path, noise);
    const damaged = openFileSource(path);
    let searches = 0;
    const counted: typeof damaged = {
      ...damaged,
      read: (offset, target) => {
        if (offset === 0 && target.length > 1000) searches++;
        return damaged.read(offset, target);
      },
    };
    try {
      const run = { task: taskFor(path), damaged: counted, hooks, notices: [] };
      await expect(repairNatively(run)).rejects.toMatchObject({ code: "REFERENCE_REQUIRED" });
      const once = searches;
      searches = 0;
      const withoutIndex = { ...run.task, references: { ...EMPTY_POOL, hasIndex: () => false } };
      await expect(repairNatively({ ...run, task: withoutIndex })).rejects.toMatchObject({
        code: "REFERENCE_REQUIRED",
      });
      expect(once).toBe(searches);
    } finally {
      damaged.close();
    }
  });

  it("ends the decoder when the output cannot be written, and leaves nothing behind", async () => {
    const path = join(folder, "holed.mp4");
    const reference = join(folder, "reference.mp4");
    writeFileSync(reference, makeClip("-an -c:v libx264 -preset ultrafast -g 10"));
    writeWithHole(path, new Uint8Array(readFileSync(reference)));
    // Stands for an ffmpeg that is at work for long.
    for (const name of ["ffmpeg", "ffprobe"]) {
      const script = `#!/bin/sh\necho $$ > ${folder}/new-pid; mv ${folder}/new-pid ${folder}/pid; exec sleep 60\n`;
      writeFileSync(join(folder, name), script, { mode: 0o755 });
    }
    const damaged = openFileSource(path);
    const isDecoding = (): boolean => existsSync(join(folder, "pid"));
    const isWriting = (): boolean => readdirSync(folder).some((name) => name.endsWith(".part"));
    const failing: typeof damaged = {
      ...damaged,
      read: (offset, target) => {
        if (isWriting() && target.length === COPY_BYTES) {
          // By then the decoder has been started; on a busy machine it may not have come far.
          const mostMs = offset > HOLE_BYTES ? 20_000 : 1;
          for (let waitedMs = 0; waitedMs < mostMs && !isDecoding(); waitedMs++) sleep(1);
          if (isDecoding()) throw new ReelmillError("INPUT_UNREADABLE", "The disk fails.");
        }
        return damaged.read(offset, target);
      },
    };
    const references = { ...EMPTY_POOL, isNamed: true, choose: () => ({ paths: [reference], notices: [] }) };
    const base = taskFor(path);
    const environment = { PATH: `${folder}:${process.env["PATH"]}` };
    const options = { ...base.options, dryRun: false, faststart: true, verify: "quick", environment } as const;
    const task = { ...base, references, options, output: join(folder, "mended.mp4") };
    try {
      await expect(repairNatively({ task, damaged: failing, hooks, notices: [] })).rejects.toMatchObject({
        code: "INPUT_UNREADABLE",
      });
      const pid = readFileSync(join(folder, "pid"), "utf8").trim();
      expect(existsSync(`/proc/${pid}`)).toBe(false);
      // A second decoder may have been ended while it told its number.
      const left = readdirSync(folder).filter((name) => name !== "new-pid");
      expect(left.sort()).toEqual(["ffmpeg", "ffprobe", "holed.mp4", "pid", "reference.mp4"]);
    } finally {
      damaged.close();
    }
  });
});
