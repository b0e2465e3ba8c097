import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A file that ffmpeg made, with where its packets lie in it, in file order as ffprobe lists them. */
export interface Encoded {
  readonly bytes: Uint8Array;
  /** Offsets from the beginning of the file, and sizes, both in bytes. */
  readonly packets: readonly { readonly pos: number; readonly size: number }[];
}

/** Has ffmpeg write `fileName`, whose extension chooses the container. Throws where ffmpeg is missing or refuses. */
export type Encode = (fileName: string, ...args: readonly string[]) => Encoded;

/** Gives an encoder that works in a temporary folder, which is removed after the calling test file; `name` shows in its path. */
export function createEncoder(name: string): Encode {
  const folder = mkdtempSync(join(tmpdir(), `reelmill-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (fileName, ...args) => {
    const path = join(folder, fileName);
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args, path]);
    const listing = ["-v", "error", "-show_entries", "packet=pos,size", "-of", "csv=p=0", path];
    const text = execFileSync("ffprobe", listing, { encoding: "utf8", maxBuffer: 1 << 26 });
    const packets = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [size = "0", pos = "0"] = line.split(",");
        return { size: Number(size), pos: Number(pos) };
      });
    return { bytes: readFileSync(path), packets };
  };
}
