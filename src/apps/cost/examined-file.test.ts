import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRecording } from "../../../test/support/make-recording.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import { createObjectExaminer, examineFile, unexamined } from "./examined-file.ts";

let folder: string;
let tools: FfmpegTools;
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  tools = await requireFfmpeg({ PATH: process.env["PATH"] });
  folder = mkdtempSync(join(tmpdir(), "reelmill-examined-"));
  const args = "-c:v mpeg4 -c:a aac";
  writeFileSync(path("a.mp4"), makeRecording(folder, { extension: "mp4", args, durationSeconds: 2 }));
  writeFileSync(path("torn.mp4"), "no recording");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A store whose objects are the folder's files, and which counts how often one is lent. */
function createStore() {
  const lent: string[] = [];
  let [open, most] = [0, 0];
  return {
    lent,
    most: () => most,
    head: async (key: string) => {
      const stat = statSync(path(key), { throwIfNoEntry: false });
      return stat && { key, bytes: stat.size, modifiedAtMs: stat.mtimeMs };
    },
    withLocalFile: async <T>(key: string, use: (path: string) => Promise<T>): Promise<T> => {
      lent.push(key);
      open += 1;
      most = Math.max(most, open);
      try {
        return await use(path(key));
      } finally {
        open -= 1;
      }
    },
  };
}

const { signal } = new AbortController();

describe("a recording that is looked at", () => {
  it("tells its size, length and pictures; what is none tells its size alone", async () => {
    const seen = await examineFile(tools, path("a.mp4"), 123);
    expect(seen).toMatchObject({ bytes: 123, widthPixels: 96, heightPixels: 80, framesPerSecond: 25 });
    expect(seen.seconds).toBeCloseTo(2, 1);
    expect(await examineFile(tools, path("torn.mp4"), 12)).toEqual(unexamined(12));
  });
});

describe("objects that are looked at", () => {
  it("are lent one at a time, once until they change, and not at all where their size is enough", async () => {
    const store = createStore();
    const examine = createObjectExaminer(store, async () => tools, signal);
    const all = await Promise.all(["a.mp4", "torn.mp4", "a.mp4"].map((key) => examine(key, false)));
    expect(all.map((file) => file?.widthPixels)).toEqual([96, null, 96]);
    expect(store.lent).toEqual(["a.mp4", "torn.mp4"]);
    expect(store.most()).toBe(1);
    expect(await examine("a.mp4", true)).toEqual(unexamined(statSync(path("a.mp4")).size));
    writeFileSync(path("torn.mp4"), "another thing");
    await examine("torn.mp4", false);
    expect(store.lent).toEqual(["a.mp4", "torn.mp4", "torn.mp4"]);
  });

  it("are only as large as they are without ffprobe, and nothing where there are none", async () => {
    const examine = createObjectExaminer(createStore(), async () => undefined, signal);
    expect(await examine("a.mp4", false)).toEqual(unexamined(statSync(path("a.mp4")).size));
    expect(await examine("none.mp4", false)).toBeUndefined();
  });

  it("do not keep the next one from being looked at when one fails", async () => {
    let calls = 0;
    const failing = async (): Promise<FfmpegTools> => {
      calls += 1;
      if (calls === 1) throw new Error("once");
      return tools;
    };
    const examine = createObjectExaminer(createStore(), failing, signal);
    const [first, second] = await Promise.allSettled([examine("a.mp4", false), examine("a.mp4", false)]);
    expect([first.status, second.status]).toEqual(["rejected", "fulfilled"]);
  });
});
