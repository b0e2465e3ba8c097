import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RepairDocument } from "../../src/pipelines/repair/index.ts";
import { copyOf } from "./recordings.fixture.ts";
import { createWorkplace, hashOf, reelmill, repairAsJson, type Workplace } from "./workplace.fixture.ts";

let place: Workplace;

beforeAll(() => {
  place = createWorkplace();
});

beforeEach(() => place.renew());

afterAll(() => place.remove());

describe("what cannot be done", () => {
  const makers: readonly (readonly [code: string, name: string, make: (path: string) => void])[] = [
    ["INPUT_NOT_FOUND", "gone.mp4", () => undefined],
    ["INPUT_SYMLINK_LOOP", "loop.mp4", (path) => symlinkSync("loop.mp4", path)],
    ["INPUT_EMPTY", "void.mp4", (path) => writeFileSync(path, "")],
    ["INPUT_FOLDER_EMPTY", "hollow", (path) => mkdirSync(path)],
    ["INPUT_UNREADABLE", "pipe.mp4", (path) => execFileSync("mkfifo", [path])],
  ];

  it.each(makers)("%s has its own code (%s)", async (code, name, make) => {
    make(join(place.folder, name));
    const { exit, files: results } = await repairAsJson(join(place.folder, name));
    expect([exit, results[0]?.error?.code]).toEqual([1, code]);
  });

  it.runIf(process.platform === "linux")("says of a name that is not in UTF-8 that it is to be renamed", async () => {
    const folder = join(place.folder, "foreign");
    mkdirSync(folder);
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.of(0xff), Buffer.from(".mp4")]), "x");
    const { error } = (await repairAsJson(folder)).files[0] ?? {};
    expect(error).toMatchObject({
      code: "INPUT_NOT_FOUND",
      message: expect.stringContaining("not in UTF-8: rename it"),
    });
  });

  it("refuses what is no video, and a file that needs a reference where there is none", async () => {
    const alone = join(place.folder, "alone");
    mkdirSync(alone);
    writeFileSync(join(alone, "text.mp4"), "not a recording\n".repeat(999));
    expect((await repairAsJson(join(alone, "text.mp4"))).files[0]?.error?.code).toBe("INPUT_NOT_VIDEO");
    rmSync(join(alone, "text.mp4"));
    const bad = copyOf(place.files.damaged, "alone/bad.mp4");
    const { error } = (await repairAsJson(bad)).files[0] ?? {};
    expect(error).toMatchObject({ code: "REFERENCE_REQUIRED", message: expect.stringContaining("-r") });
  });

  it("takes no check for made whose decoder was killed in the middle of it", async () => {
    const ffmpeg = join(place.folder, "ffmpeg");
    const body =
      'case "$*" in *"-f framehash"*" pipe:1") ffmpeg "$@" | head -c 600; kill -9 $$;; esac; exec ffmpeg "$@"';
    writeFileSync(ffmpeg, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    const { damaged, reference } = place.files;
    const repair = async (verify: string): Promise<readonly [number, RepairDocument["files"][number] | undefined]> => {
      const args = [
        "repair",
        damaged,
        "-r",
        reference,
        "-o",
        join(place.folder, "out.mp4"),
        "--verify",
        verify,
        "--json",
      ];
      const environment = { PATH: process.env["PATH"], REELMILL_FFMPEG: ffmpeg };
      const { status, output } = await reelmill(args, { environment });
      return [status, (JSON.parse(output) as RepairDocument).files[0]];
    };
    const [status, result] = await repair("full");
    expect([status, result?.error?.code]).toEqual([1, "PROGRAM_KILLED"]);
    expect(place.listAdded()).toEqual(["ffmpeg"]);
    const [, quick] = await repair("quick");
    expect(quick?.checks.find(({ name }) => name === "decode")).toMatchObject({
      status: "skipped",
      detail: expect.stringContaining("SIGKILL"),
    });
  });

  it.each([
    ["text", "not a recording\n".repeat(20_000)],
    ["a PDF document", `%PDF-1.7\n${"\u0001\u0002\u0003".repeat(100_000)}`],
  ])("tells that %s is no video, whatever the reference", async (what, content) => {
    writeFileSync(join(place.folder, "other.mp4"), content);
    const { files: results } = await repairAsJson(join(place.folder, "other.mp4"), "-r", place.files.reference);
    expect(results[0]?.error).toMatchObject({ code: "INPUT_NOT_VIDEO", message: expect.stringContaining(what) });
  });

  it("has a code for a file that may not be read", async ({ skip }) => {
    if (process.getuid?.() === 0) skip("root may read everything");
    writeFileSync(join(place.folder, "locked.mp4"), "x", { mode: 0 });
    const { files: results } = await repairAsJson(join(place.folder, "locked.mp4"));
    expect(results[0]?.error?.code).toBe("INPUT_UNREADABLE");
  });

  it("shows names without letting them steer the terminal, on every way out", async () => {
    const name = "a\u001b[2J\u009b1m\nb.mp4";
    const bad = copyOf(place.files.damaged, name);
    const shown = "a\\u001b[2J\\u009b1m\\u000ab";
    const report = join(place.folder, "report.json");
    const mended = await reelmill(["repair", bad, "-r", place.files.reference, "--report", report]);
    expect(mended.output).toContain(`${shown}.mp4: repaired → `);
    expect(mended.output).toContain(`${shown}_repaired.mp4 (`);
    const asJson = await reelmill(["repair", bad, "-r", place.files.reference, "--json"]);
    const failed = await reelmill(["repair", bad, "-r", place.files.foreign]);
    expect(failed.error).toContain(shown);
    const inspected = await reelmill(["inspect", bad]);
    expect(inspected.output).toContain(shown);
    const all = [mended, asJson, failed, inspected].flatMap(({ output, error }) => [output, error]);
    for (const text of [...all, readFileSync(report, "utf8")]) {
      for (const character of ["\u001b", "\u009b"]) expect(text).not.toContain(character);
    }
    expect((JSON.parse(asJson.output) as RepairDocument).files[0]?.input).toBe(bad);
  });

  it("says why a link out of a folder was left out, and does not fail for it", async () => {
    const card = join(place.folder, "card");
    mkdirSync(card);
    copyOf(place.files.reference, "card/good.mp4");
    symlinkSync(place.files.damaged, join(card, "link.mp4"));
    const { status, error } = await reelmill(["repair", card]);
    expect([status, error]).toEqual([
      0,
      `reelmill: ${card}/link.mp4 is left out: it is a link that leads out of ${card}\n`,
    ]);
    const { files, skipped } = await repairAsJson(card);
    expect([files.length, skipped.map(({ input }) => input)]).toEqual([1, [join(card, "link.mp4")]]);
  });

  it("refuses a reference that is damaged, missing, or the damaged file itself", async () => {
    const damagedToo = copyOf(place.files.damaged, "damaged-too.mp4");
    const { files: results } = await repairAsJson(place.files.damaged, "-r", damagedToo, place.files.damaged);
    expect(results[0]?.error?.code).toBe("REFERENCE_UNUSABLE");
    expect(results[0]?.error?.message).toContain("it is the damaged file itself");
    const { status, error } = await reelmill(["repair", place.files.damaged, "-r", join(place.folder, "gone.mp4")]);
    expect([status, error]).toEqual([1, expect.stringContaining("The reference")]);
  });

  it("refuses outputs that are there, are the input, or have no folder", async () => {
    const run = (output: string) => repairAsJson(place.files.damaged, "-r", place.files.reference, "-o", output);
    const before = hashOf(place.files.foreign);
    expect((await run(place.files.foreign)).files[0]?.error?.code).toBe("OUTPUT_EXISTS");
    expect(hashOf(place.files.foreign)).toBe(before);
    expect((await run(join(place.folder, "no/such/place.mp4"))).files[0]?.error?.code).toBe("OUTPUT_UNWRITABLE");
    expect((await reelmill(["repair", place.files.damaged, "-o", place.files.damaged])).status).toBe(2);
    expect((await reelmill(["repair", place.files.damaged, "--in-place", "-o", "x.mp4"])).status).toBe(2);
    expect((await reelmill(["repair", place.files.damaged, "--in-place", "--faststart"])).status).toBe(2);
    expect(place.listAdded()).toEqual([]);
  });

  it("names the program that --engine asks for and that is not there", async () => {
    const { files: results } = await repairAsJson(
      place.files.damaged,
      "-r",
      place.files.reference,
      "--engine",
      "untrunc",
    );
    expect(results[0]?.error).toMatchObject({ code: "ENGINE_MISSING", message: expect.stringContaining("untrunc") });
  });

  it("leaves nothing behind when cancelled", async () => {
    const before = hashOf(place.files.damaged);
    const args = ["repair", place.files.damaged, "-r", place.files.reference];
    const { status } = await reelmill(args, { signal: AbortSignal.abort() });
    expect(status).toBe(130);
    expect((await reelmill(args, { signal: AbortSignal.abort("SIGTERM") })).status).toBe(143);
    expect(hashOf(place.files.damaged)).toBe(before);
    expect(place.listAdded()).toEqual([]);
  });
});

describe("a full disk", () => {
  let disk: string;
  let isMounted = false;

  beforeAll(() => {
    disk = mkdtempSync(join(tmpdir(), "reelmill-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "ignore" });
      isMounted = true;
    } catch {
      // Without the right to mount there is no disk small enough.
    }
  });

  afterAll(() => {
    if (isMounted) execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it("ends in NO_SPACE with nothing half-written, the original as it was", async ({ skip }) => {
    if (!isMounted) skip("mounting is not permitted here");
    const before = hashOf(place.files.damaged);
    for (const input of [place.files.damaged, place.files.matroskaCut]) {
      const { exit, files: results } = await repairAsJson(input, "-r", place.files.reference, "-o", `${disk}/`);
      expect([exit, results[0]?.error?.code]).toEqual([1, "NO_SPACE"]);
      expect(readdirSync(disk)).toEqual([]);
    }
    expect(hashOf(place.files.damaged)).toBe(before);
  });

  it("does not harm a file that is mended in place", async ({ skip }) => {
    if (!isMounted) skip("mounting is not permitted here");
    const path = join(disk, "clip.mp4");
    writeFileSync(path, readFileSync(place.files.damaged).subarray(0, 48 * 1024));
    // Fills the disk up to its last page.
    try {
      writeFileSync(join(disk, "ballast"), Buffer.alloc(64 * 1024));
    } catch {
      truncateSync(join(disk, "ballast"), 12 * 1024);
    }
    const before = hashOf(path);
    const { files: results } = await repairAsJson(path, "-r", place.files.reference, "--in-place");
    expect(results[0]?.error?.code).toBe("NO_SPACE");
    expect(hashOf(path)).toBe(before);
    expect(existsSync(`${path}.reelmill-undo`)).toBe(false);
  });
});
