import { execFile } from "node:child_process";
import { renameSync } from "node:fs";
import { promisify } from "node:util";

const execFileAsync = promisify(execFile);
const TIMEOUT_MS = 15 * 60 * 1000;

/** Runs an analysis tool and returns what it wrote, whatever its exit status: a damaged file is a finding. */
export async function captureTool(
  file: string,
  args: readonly string[],
): Promise<{ readonly stdout: Buffer; readonly stderr: string }> {
  try {
    const options = { encoding: "buffer" as const, maxBuffer: 2 ** 31 - 1, timeout: TIMEOUT_MS };
    const { stdout, stderr } = await execFileAsync(file, args, options);
    return { stdout, stderr: stderr.toString("latin1") };
  } catch (error) {
    const partial = error as { readonly stdout?: Buffer; readonly stderr?: Buffer; readonly code?: unknown };
    if (partial.code === "ENOENT") throw error;
    return { stdout: partial.stdout ?? Buffer.alloc(0), stderr: partial.stderr?.toString("latin1") ?? "" };
  }
}

/** Runs ffmpeg to make a file under a temporary name, renamed when it is whole. */
export async function encodeFile(args: readonly string[], path: string): Promise<void> {
  const extension = path.slice(path.lastIndexOf("."));
  const partial = `${path}.partial${extension}`;
  await execFileAsync("ffmpeg", ["-hide_banner", "-nostdin", "-y", "-v", "error", ...args, partial]);
  renameSync(partial, path);
}
