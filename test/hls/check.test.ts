import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ReelmillError } from "../../src/base/errors.ts";
import { checkPresentation, type PresentationReport } from "../../src/media/hls/check/check-presentation.ts";
import type { Outcome } from "../../src/media/hls/check/rule.ts";
import { presentationOpener } from "../../src/pipelines/hls/open-presentation.ts";
import { BROKEN, FMP4, TS, UNUSUAL } from "./broken.fixture.ts";
import { editMain, editMedia } from "./edit-ladder.fixture.ts";
import { HIGH, LOW, makeLadder, type Recipe, readMedia } from "./ladder.fixture.ts";

const ROOT = mkdtempSync(join(tmpdir(), "reelmill-hls-"));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

const made = new Map<string, string>();
let copies = 0;

/** A copy of the ladder of a recipe, which is made once. */
function copyOf(recipe: Recipe): string {
  const key = JSON.stringify(recipe);
  const folder = made.get(key) ?? join(ROOT, `ladder-${made.size}`);
  if (!made.has(key)) {
    makeLadder(folder, recipe);
    made.set(key, folder);
  }
  const copy = join(ROOT, `copy-${copies++}`);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

function check(folder: string, playlist = "main.m3u8"): Promise<PresentationReport> {
  return checkPresentation(presentationOpener(folder), playlist, new AbortController().signal);
}

function idsOf({ rules }: PresentationReport, outcome: Outcome, level: "must" | "should" = "must"): readonly string[] {
  return rules.filter((rule) => rule.outcome === outcome && rule.level === level).map(({ id }) => id);
}

describe("a presentation made as the rules want it", () => {
  it.each([
    ["fragmented MP4", FMP4],
    ["MPEG-TS", TS],
    [
      "fragmented MP4 in single files with byte ranges",
      { ...FMP4, rungs: [HIGH, LOW].map((rung) => ({ ...rung, muxer: "-hls_flags single_file" })) },
    ],
  ] as const)("passes: %s", async (_name, recipe) => {
    const report = await check(copyOf(recipe));
    const failed = report.rules.filter(({ outcome }) => outcome === "failed" || outcome === "not-checked");
    expect(failed).toEqual([]);
    expect(report.isConforming).toBe(true);
    expect(idsOf(report, "passed").length).toBeGreaterThan(30);
  });
});

describe("a presentation broken on purpose", () => {
  it.each(BROKEN)("fails its rule and no other must: %s", async (_what, recipe, breaks, failing) => {
    const folder = copyOf(recipe);
    breaks(folder);
    const report = await check(folder);
    expect(idsOf(report, "failed")).toEqual(failing);
    expect(report.isConforming).toBe(failing.length === 0);
  });

  it("is told of I-frame segments of a transport stream that are more than a key frame", async () => {
    const folder = copyOf(TS);
    const whole = readMedia(join(folder, "low", "index.m3u8"));
    editMedia("low/iframes.m3u8", () => ({ segments: whole.segments }))(folder);
    const { rules } = await check(folder);
    const rule = rules.find(({ id }) => id === "i-frame-segments");
    expect(rule?.outcome).toBe("failed");
    expect(rule?.findings[0]).toEqual({
      where: "low/iframes.m3u8, segment 0",
      message: "it holds 150 pictures, one is allowed.",
    });
  });

  it.each(UNUSUAL)(
    "is told of its should and no other, which does not make it fail: %s",
    async (_what, recipe, breaks, failing) => {
      const folder = copyOf(recipe);
      breaks(folder);
      const report = await check(folder);
      expect(idsOf(report, "failed", "should")).toEqual(failing);
      // What the larger segment was declared with is a matter of musts.
      const musts = idsOf(report, "failed").filter((id) => !/bandwidth/.test(id));
      expect(musts).toEqual([]);
    },
  );
});

describe("what the bytes are needed for", () => {
  it("is reported as not checked where segments are encrypted, and what is not stays checked", async () => {
    const encrypted = {
      ...HIGH,
      muxer: "-hls_enc 1 -hls_enc_key 00112233445566778899aabbccddeeff -hls_enc_key_url key",
    };
    const report = await check(copyOf({ ...TS, rungs: [encrypted, LOW] }));
    expect(idsOf(report, "failed")).toEqual([]);
    const unchecked = idsOf(report, "not-checked");
    for (const id of ["codecs", "resolution", "segments-start-with-idr", "segments-aligned"])
      expect(unchecked).toContain(id);
    for (const id of ["bandwidth-covers-peak", "endlist"]) expect(idsOf(report, "passed")).toContain(id);
  });

  it("is not read through links that lead out of the folder", async () => {
    const folder = copyOf(FMP4);
    const outside = join(ROOT, "outside.m4s");
    cpSync(join(folder, "high", "seg1.m4s"), outside);
    rmSync(join(folder, "high", "seg1.m4s"));
    symlinkSync(outside, join(folder, "high", "seg1.m4s"));
    const report = await check(folder);
    expect(idsOf(report, "failed")).toEqual(["files-exist"]);
    expect(JSON.stringify(report)).toContain("leads out of the presentation's folder");
  });

  it("stops when it is told to", async () => {
    const controller = new AbortController();
    const open = presentationOpener(copyOf(FMP4));
    const stopping: typeof open = async (path, signal) => {
      if (path.endsWith("seg1.m4s")) controller.abort();
      return await open(path, signal);
    };
    await expect(checkPresentation(stopping, "main.m3u8", controller.signal)).rejects.toThrow(
      expect.objectContaining({ code: "ABORTED" }),
    );
  });
});

describe("a media playlist by itself", () => {
  it("is checked without what multivariant playlists have", async () => {
    const report = await check(join(copyOf(FMP4), "low"), "index.m3u8");
    expect(idsOf(report, "failed")).toEqual([]);
    expect(idsOf(report, "passed")).toContain("segments-start-with-idr");
    expect(idsOf(report, "not-applicable")).toContain("codecs");
  });
});

describe("a playlist of nothing", () => {
  it("fails: a multivariant playlist without variants, an ended media playlist without segments", async () => {
    const folder = copyOf(FMP4);
    editMain(folder, () => ({ variants: [], iFrameVariants: [] }));
    expect(idsOf(await check(folder), "failed")).toContain("variants");
    editMedia("low/index.m3u8", () => ({ segments: [] }))(folder);
    const ended = await check(join(folder, "low"), "index.m3u8");
    expect(idsOf(ended, "failed")).toEqual(["segments"]);
    expect(ended.isConforming).toBe(false);
  });

  it("may be a live one whose first segment is still to come", async () => {
    const folder = join(ROOT, "live");
    mkdirSync(folder);
    writeFileSync(join(folder, "live.m3u8"), "#EXTM3U\n#EXT-X-TARGETDURATION:6\n");
    const { rules } = await check(folder, "live.m3u8");
    expect(rules.find(({ id }) => id === "segments")?.outcome).toBe("not-applicable");
  });
});

describe("mutated presentations", () => {
  const names = ["main.m3u8", "low/index.m3u8", "low/init.mp4", "low/seg0.m4s", "low/seg0.ts", "subtitles/0.vtt"];
  const change = fc.record({
    name: fc.constantFrom(...names),
    at: fc.nat({ max: 4096 }),
    drop: fc.nat({ max: 40 }),
    put: fc.uint8Array({ maxLength: 8 }),
  });

  it.each([FMP4, TS])("give a report or a refusal, never anything else ($container)", async (recipe) => {
    const folder = copyOf({ ...recipe, rungs: [LOW] });
    const open = presentationOpener(folder);
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const mutated: typeof open = async (path, signal) => {
          const source = await open(path, signal);
          const own = changes.filter(({ name }) => name === path);
          if (own.length === 0) return source;
          let bytes: Uint8Array = new Uint8Array(source.sizeBytes);
          source.read(0, bytes);
          source.close();
          for (const { at, drop, put } of own) {
            const index = at % (bytes.length + 1);
            bytes = Buffer.concat([bytes.subarray(0, index), put, bytes.subarray(index + drop)]);
          }
          const read = (offset: number, target: Uint8Array): number => {
            const part = bytes.subarray(offset, offset + target.length);
            target.set(part);
            return part.length;
          };
          return { sizeBytes: bytes.length, read, close: () => undefined };
        };
        try {
          expect((await checkPresentation(mutated, "main.m3u8", new AbortController().signal)).schema).toBe(1);
        } catch (error) {
          expect(error).toBeInstanceOf(ReelmillError);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("reelmill hls check", () => {
  const run = (...args: readonly string[]): { status: number; output: string } => {
    const command = join(import.meta.dirname, "..", "..", "reelmill");
    try {
      return {
        status: 0,
        output: execFileSync(command, ["hls", "check", ...args], { encoding: "utf8", stdio: "pipe" }),
      };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { status, output: stdout + stderr };
    }
  };

  it("ends with 0 and one line for a sound package", () => {
    const { status, output } = run(join(copyOf(FMP4), "main.m3u8"));
    expect(output).toMatch(
      /^\S+main\.m3u8: 0 musts and 0 shoulds failed, \d+ passed, 0 not checked, \d+ do not apply\n$/,
    );
    expect(status).toBe(0);
  });

  it("says that a key was not needed for a package that is not encrypted", () => {
    const folder = copyOf(FMP4);
    const key = join(folder, "any.key");
    writeFileSync(key, Buffer.alloc(16, 1));
    const { status, output } = run("--key", key, join(folder, "main.m3u8"));
    expect(status).toBe(0);
    expect(output).toMatch(/^--key was not needed: .*\n\S+main\.m3u8: 0 musts/);
    const json = JSON.parse(run("--json", "--key", key, join(folder, "main.m3u8")).output);
    expect(json.notices).toEqual([expect.stringContaining("--key was not needed")]);
  });

  it("ends with 1 and names rule, clause and place for a broken one", () => {
    const folder = copyOf(FMP4);
    editMedia("low/index.m3u8", () => ({ hasEndList: false }))(folder);
    const { status, output } = run(join(folder, "main.m3u8"));
    expect(status).toBe(1);
    expect(output).toMatch(/^endlist +must +RFC 8216bis §4\.4\.3\.4$/m);
    expect(output).toContain("low/index.m3u8: EXT-X-ENDLIST is not there.");
    expect(output).toContain("1 must and 0 shoulds failed");
  });

  it("tells a missing segment first, and of each place once why the rest was not checked", () => {
    const folder = copyOf(FMP4);
    rmSync(join(folder, "low", readMedia(join(folder, "low", "index.m3u8")).segments[0]?.uri ?? ""));
    const { output } = run(join(folder, "main.m3u8"));
    expect(output.split("\n").slice(2, 3).join()).toMatch(/^files-exist +must +/);
    const unchecked = output.slice(output.indexOf("\nnot checked: "));
    expect(unchecked).toMatch(
      /^\nnot checked: .*segment-durations.*\n( {2}low\/\S+: .+\n)+\n\S+main\.m3u8: 1 must and/,
    );
    expect(unchecked.match(/^ {2}low\/index\.m3u8: /gm)).toHaveLength(1);
  });

  it("prints the report as JSON", () => {
    const { output } = run("--json", join(copyOf(TS), "main.m3u8"));
    expect(JSON.parse(output)).toMatchObject({ schema: 1, playlist: "main.m3u8", isConforming: true });
  });

  it("ends with 1 and the code where the playlist is not there", () => {
    const { status, output } = run(join(ROOT, "none.m3u8"));
    expect(status).toBe(1);
    expect(output).toContain("INPUT_NOT_FOUND");
  });

  it("says what to name instead of a folder or an address", () => {
    const folder = copyOf(FMP4);
    expect(run(folder).output).toContain(`Its playlist is ${join(folder, "main.m3u8")}. (INPUT_IS_DIRECTORY)`);
    symlinkSync("round.m3u8", join(folder, "round.m3u8"));
    expect(run(join(folder, "round.m3u8")).output).toContain("(INPUT_SYMLINK_LOOP)");
    expect(run("https://example.com/main.m3u8").output).toContain("hls check fetches nothing");
  });
});
