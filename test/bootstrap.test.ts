import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../scripts/bootstrap.mjs", import.meta.url));
const LOCK = { packages: { "": {}, "node_modules/a": { version: "1.0.0" }, "node_modules/b": { optional: true } } };

let root: string;
let programs: string;

/** Puts a program on the PATH that notes its arguments and then does `body`; only what the shell itself can do is there. */
async function addProgram(name: string, body = ""): Promise<void> {
  await writeFile(join(programs, name), `#!/bin/sh\necho "${name} $*" >> ${root}/calls\n${body}\n`, { mode: 0o755 });
}

async function calls(): Promise<readonly string[]> {
  const text = await readFile(join(root, "calls"), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

function bootstrap(...args: readonly string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((settle) => {
    const script = join(root, "scripts", "bootstrap.mjs");
    const child = execFile(
      process.execPath,
      [script, ...args],
      { env: { PATH: programs } },
      (_error, output, error) => {
        settle({ status: child.exitCode, output: output + error });
      },
    );
  });
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "reelmill-bootstrap-"));
  programs = join(root, "programs");
  await mkdir(programs);
  await mkdir(join(root, "scripts"));
  await copyFile(SCRIPT, join(root, "scripts", "bootstrap.mjs"));
  await writeFile(join(root, "package-lock.json"), JSON.stringify(LOCK));
  await addProgram("npm");
  await addProgram("ffmpeg");
  await addProgram("ffprobe");
});

afterEach(() => rm(root, { recursive: true, force: true }));

describe("bootstrap", () => {
  it("installs once, then is silent until the lock file changes", async () => {
    expect((await bootstrap()).status).toBe(0);
    expect(await calls()).toEqual(["npm ci --ignore-scripts --no-audit --no-fund --loglevel=error"]);
    expect(await readlink(join(root, "node_modules", ".reelmill", "node"))).toBe(process.execPath);
    expect(await bootstrap()).toEqual({ status: 0, output: "" });
    expect(await calls()).toHaveLength(1);
    await writeFile(join(root, "package-lock.json"), JSON.stringify({ ...LOCK, name: "changed" }));
    await bootstrap();
    expect(await calls()).toHaveLength(2);
  });

  it("accepts packages that were installed by hand", async () => {
    await mkdir(join(root, "node_modules"));
    await writeFile(join(root, "node_modules", ".package-lock.json"), JSON.stringify(LOCK));
    expect((await bootstrap()).status).toBe(0);
    expect(await calls()).toEqual([]);
  });

  it("shows why packages could not be installed, and leaves no stamp that says they were", async () => {
    await addProgram("npm", "echo no network >&2; exit 1");
    const first = await bootstrap();
    expect(first.status).toBe(1);
    expect(first.output).toContain("no network");
    await bootstrap();
    expect(await calls()).toHaveLength(2);
  });

  it("lets two that start at once install only once", async () => {
    const endings = await Promise.all([bootstrap(), bootstrap(), bootstrap()]);
    expect(endings.map((ending) => ending.status)).toEqual([0, 0, 0]);
    expect(await calls()).toHaveLength(1);
  });

  it("installs ffmpeg with apt-get as root, else says what to run", async () => {
    await rm(join(programs, "ffmpeg"));
    const appear = `case "$*" in *install*) echo '#!/bin/sh' > ${programs}/ffmpeg; /bin/chmod +x ${programs}/ffmpeg;; esac`;
    await addProgram("apt-get", appear);
    const ending = await bootstrap();
    if (process.getuid?.() === 0) {
      expect(ending.status).toBe(0);
      expect((await calls()).filter((line) => line.startsWith("apt-get"))).toEqual([
        expect.stringMatching(/ update$/),
        expect.stringMatching(/ install -y --no-install-recommends ffmpeg$/),
      ]);
    } else {
      expect(ending.status).toBe(1);
      expect(ending.output).toContain("sudo apt-get install -y --no-install-recommends ffmpeg");
    }
  });

  it("without a package manager it says where ffmpeg is to be had; for the launcher that is only a notice", async () => {
    await rm(join(programs, "ffprobe"));
    const strict = await bootstrap();
    expect(strict.status).toBe(1);
    expect(strict.output).toContain("https://ffmpeg.org/download.html");
    const lenient = await bootstrap("--launcher");
    expect(lenient.status).toBe(0);
    expect(lenient.output).toContain("not installed");
  });
});
