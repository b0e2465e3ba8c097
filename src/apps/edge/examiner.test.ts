import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEncoder } from "../../../test/support/encode.ts";
import { createExaminer, type Examiner } from "./examiner.ts";

const encode = createEncoder("examiner");
const NEVER = new AbortController().signal;
let folder: string;
let examiner: Examiner;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-examiner-"));
  examiner = createExaminer({ PATH: process.env["PATH"] });
});
afterAll(async () => {
  await examiner.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

describe("the examiner", () => {
  it("tells healthy recordings from damaged ones and from what is none", async () => {
    const input = ["-f", "lavfi", "-i", "testsrc2=s=96x80:r=25", "-t", "1", "-pix_fmt", "yuv420p"];
    const { bytes, packets } = encode("a.mp4", ...input, "-c:v", "libx264");
    const cut = bytes.slice(0, Math.floor(bytes.length / 2));
    const zeroed = new Uint8Array(bytes);
    for (const { pos, size } of packets) zeroed.fill(0, pos, pos + size);
    // The index is whole, and the packets seem to be: only a decoder can tell.
    const scrambled = new Uint8Array(bytes);
    for (const { pos, size } of packets) scrambled.fill(0x55, pos + 5, pos + size);
    const matroska = encode("a.mkv", ...input, "-c:v", "libx264").bytes;
    const found = await Promise.all(
      [
        write("healthy.mp4", bytes),
        write("cut.mp4", cut),
        write("zeroed.mp4", zeroed),
        write("scrambled.mp4", scrambled),
        write("healthy.mkv", matroska),
        write("cut.mkv", matroska.slice(0, matroska.length / 2)),
        write("text.mp4", Buffer.alloc(5000, "text ")),
      ].map((path) => examiner.examine(path, NEVER)),
    );
    expect(found.map(({ health }) => health)).toEqual([
      "healthy",
      "damaged",
      "damaged",
      "damaged",
      "healthy",
      "damaged",
      "unknown",
    ]);
    expect(found[0]?.signature).not.toBe("");
  });

  it("throws what is wrong with the file, and answers again after that", async () => {
    await expect(examiner.examine(join(folder, "gone.mp4"), NEVER)).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
      cause: { code: "ENOENT" },
    });
    await expect(examiner.examine(write("empty.mp4", new Uint8Array(0)), NEVER)).rejects.toMatchObject({
      code: "INPUT_EMPTY",
    });
  });

  it("lets go at once of what is cancelled, whatever its thread is about", async () => {
    const other = createExaminer({ PATH: process.env["PATH"] });
    const controller = new AbortController();
    const reasons: unknown[] = [];
    other.examine(join(folder, "healthy.mp4"), controller.signal).catch((reason: unknown) => reasons.push(reason));
    controller.abort();
    // No thread is there so soon.
    await setImmediate();
    expect(reasons).toMatchObject([{ code: "ABORTED" }]);
    await other.close();
  });

  it("ends when it is closed, and what was asked is not left waiting", async () => {
    const other = createExaminer({ PATH: process.env["PATH"] });
    const asked = other.examine(join(folder, "healthy.mp4"), NEVER);
    const outcome = expect(asked).rejects.toMatchObject({ code: "ABORTED" });
    await other.close();
    await outcome;
  });
});
