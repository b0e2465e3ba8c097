import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RepairDocument } from "../../src/pipelines/repair/index.ts";
import { countPackets, createWorkplace, hashOf, reelmill, repairAsJson, type Workplace } from "./workplace.fixture.ts";

let place: Workplace;

beforeAll(() => {
  place = createWorkplace();
});

beforeEach(() => place.renew());

afterAll(() => place.remove());

describe("repairing by untrunc", () => {
  /** A stand-in that writes its reference to where the result should be. */
  function installUntrunc(script: string): string {
    const bin = join(place.folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "untrunc"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return `${bin}:${process.env["PATH"]}`;
  }

  const COPY = '[ "$1 $2 $3" = "-n -s -dst" ] && cp "$5" "$4"';

  it("starts it without a shell and checks what it wrote", async () => {
    const environment = { PATH: installUntrunc(COPY) };
    const args = ["repair", place.files.damaged, "-r", place.files.reference, "--engine", "untrunc", "--json"];
    const { status, output } = await reelmill(args, { environment });
    const [result] = (JSON.parse(output) as RepairDocument).files;
    expect([status, result?.status, result?.report?.engine]).toEqual([0, "repaired", "untrunc"]);
    expect(hashOf(result?.output ?? "")).toBe(hashOf(place.files.reference));
  });

  it.each([
    ["exit 3", {}, "stopped with status 3"],
    ["exit 0", {}, "wrote no file"],
    ["sleep 30", { UNTRUNC_TIMEOUT_SECONDS: "1" }, "did not finish within 1 s"],
    [COPY, { UNTRUNC_TIMEOUT_SECONDS: "soon" }, "UNTRUNC_TIMEOUT_SECONDS"],
  ])("takes no result of %j with %j", async (script, variables, message) => {
    const environment = { PATH: installUntrunc(script), ...variables };
    const { status, error } = await reelmill(
      ["repair", place.files.damaged, "-r", place.files.reference, "--engine", "untrunc"],
      {
        environment,
      },
    );
    expect([status, error]).toEqual([message.startsWith("UNTRUNC") ? 2 : 1, expect.stringContaining(message)]);
    expect(place.listAdded()).toEqual(["bin"]);
  });
});

describe("repairing by remux", () => {
  it("copies what can be read of a Matroska file, and says so", async () => {
    const { exit, files: results } = await repairAsJson(place.files.matroskaCut);
    expect(exit).toBe(0);
    expect(results[0]).toMatchObject({ status: "repaired", report: { engine: "remux" } });
    expect(results[0]?.checks.every((check) => check.status === "passed")).toBe(true);
    expect(countPackets(results[0]?.output ?? "")).toBe(countPackets(place.files.matroskaCut));
    expect(place.listAdded()).toEqual(["cut_repaired.mkv"]);
  });

  it("leaves a whole one alone, and refuses to work in place", async () => {
    const { files: results } = await repairAsJson(place.files.matroska);
    expect(results[0]?.status).toBe("healthy");
    const inPlace = await repairAsJson(place.files.matroskaCut, "--in-place");
    expect(inPlace.files[0]?.error?.code).toBe("OUTPUT_UNWRITABLE");
    expect(place.listAdded()).toEqual([]);
  });

  it("says that ffmpeg is missing", async () => {
    const { status, error } = await reelmill(["repair", place.files.matroskaCut], {
      environment: { PATH: "/nonexistent" },
    });
    expect([status, error]).toEqual([1, expect.stringContaining("FFMPEG_MISSING")]);
  });
});
