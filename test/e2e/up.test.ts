import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ROOT } from "../support/documentation.ts";
import { findFreePort, startServer } from "./server.fixture.ts";
import { type Ending, reelmill } from "./workplace.fixture.ts";

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-up-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A server that is told to end before it has begun: what refuses it comes first. */
function up(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ending> {
  const signal = AbortSignal.abort("the test");
  return reelmill(["up", "--data", at("data"), "--port", "0", ...args], {
    environment: { PATH: process.env["PATH"], ...environment },
    signal,
  });
}

describe("reelmill up refuses", () => {
  it.each(["--watch", "--data"])("an empty %s, as an unset variable leaves it", async (option) => {
    const { status, error } = await up([option, ""]);
    expect([status, error]).toEqual([2, expect.stringContaining("It is empty, but must be a path.")]);
  });

  it("a folder to watch and not to watch any", async () => {
    const { status, error } = await up(["--watch", at("watch"), "--no-watch"]);
    expect([status, error]).toEqual([2, expect.stringContaining("contradict each other")]);
  });

  it("to watch what is no folder", async () => {
    writeFileSync(at("file"), "x");
    const named = await up(["--watch", at("file")]);
    expect([named.status, named.error]).toEqual([2, expect.stringContaining("which is no folder. (USAGE)")]);
    const configured = await up([], { HOST_SMB_ROOT: at("file") });
    expect([configured.status, configured.error]).toEqual([2, expect.stringContaining("HOST_SMB_ROOT names")]);
    expect((await up([], { HOST_SMB_ROOT: join(at("file"), "below") })).status).toBe(2);
  });

  it("programs that are named but not there", async () => {
    const none = await up(["--no-watch"], { REELMILL_FFMPEG: at("nothing") });
    expect([none.status, none.error]).toEqual([
      2,
      expect.stringContaining(`REELMILL_FFMPEG is "${at("nothing")}", but no program was found at that path`),
    ]);
    expect((await up(["--no-watch"], { REELMILL_FFPROBE: "no-such-probe" })).error).toContain("CONFIG_INVALID");
  });
});

it("reelmill up waits for a share that is not there", async () => {
  symlinkSync(at("away"), at("link"));
  expect((await up([], { HOST_SMB_ROOT: at("link") })).status).toBe(0);
  expect((await up([], { HOST_SMB_ROOT: at("missing") })).status).toBe(0);
});

it("a server without ffmpeg says so at its start and in its health, until ffmpeg is there", async () => {
  const programs = at("programs");
  mkdirSync(programs);
  const server = await startServer(folder, await findFreePort(), { PATH: programs });
  try {
    const health = async () => (await (await fetch(`${server.url}/health`)).json()) as Record<string, unknown>;
    const fault = 'No program "ffmpeg" was found on the PATH. Install ffmpeg';
    expect(server.errors()).toContain(JSON.stringify(fault).slice(1, -1));
    expect(await health()).toMatchObject({ status: "degraded", reason: expect.stringContaining(fault) });
    for (const name of ["ffmpeg", "ffprobe"]) {
      const path = (process.env["PATH"] ?? "").split(":").map((place) => join(place, name));
      symlinkSync(path.find((place) => existsSync(place)) ?? ROOT, join(programs, name));
    }
    await vi.waitFor(async () => expect(await health()).toMatchObject({ status: "healthy", reason: null }));
    const system = (await (await fetch(`${server.url}/v1/system`)).json()) as { readonly ffmpeg: unknown };
    expect(system.ffmpeg).not.toBeNull();
  } finally {
    await server.stop();
  }
});
