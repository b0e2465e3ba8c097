import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRecordings, type Recordings } from "./e2e/recordings.fixture.ts";
import { listCommands, listPages, ROOT } from "./support/documentation.ts";
import { makeRecording } from "./support/make-recording.ts";

/** What the guide's examples speak of: the commands run in a folder that has these files. */
const PAGES = listPages().filter((path) => path === "README.md" || path.startsWith(join("docs", "guide")));
const COMMANDS = [...new Set(PAGES.flatMap(listCommands))].filter((command) => command.startsWith("./reelmill "));

let root: string;
let files: Recordings;
let slowMotion: Uint8Array;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "reelmill-docs-"));
  files = makeRecordings(join(root, "recordings"), join(root, "cache"));
  const args = "-r 50 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";
  slowMotion = makeRecording(join(root, "cache"), { extension: "mp4", args });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder as the examples have it before them. */
function furnish(folder: string): void {
  mkdirSync(join(folder, "card"), { recursive: true });
  const put = (from: string, to: string): void => copyFileSync(from, join(folder, to));
  for (const name of ["healthy.mp4", "wide.mp4", "card/good.mp4"]) put(files.reference, name);
  for (const name of ["broken.mp4", "card/bad.mp4"]) put(files.damaged, name);
  writeFileSync(join(folder, "slow-motion.mp4"), slowMotion);
}

describe("the commands of the README and the guide", () => {
  it("are found", () => {
    expect(COMMANDS.length).toBeGreaterThan(5);
  });

  it.each(COMMANDS.map((command, index) => [command, index] as const))("%s", async (command, index) => {
    const folder = join(root, String(index));
    furnish(folder);
    const words = command.split(/\s+/).slice(1);
    const { stdout } = await promisify(execFile)(join(ROOT, "reelmill"), words, { cwd: folder });
    expect(stdout).not.toBe("");
    const option = (name: string): string | undefined => words[words.indexOf(name) + 1 || words.length];
    if (words[0] === "repair" && !words.includes("--dry-run")) expect(stdout).toContain("repaired");
    for (const path of [option("-o"), option("--report")]) {
      if (path !== undefined) expect(existsSync(join(folder, path.endsWith("/") ? `${path}bad.mp4` : path))).toBe(true);
    }
  });
});
