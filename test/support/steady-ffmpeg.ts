import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes into `folder` an ffmpeg that runs on the first processor that it may use, and returns its path: x264 then takes one thread. With several, and a
 * bound on its rate, it gives other bits at every run.
 */
export function writeSteadyFfmpeg(folder: string): string {
  const path = join(folder, "steady-ffmpeg");
  const first = "$(taskset -cp $$ | sed 's/.*: *//; s/[,-].*//')";
  writeFileSync(path, `#!/bin/sh\nexec taskset -c "${first}" ffmpeg "$@"\n`, { mode: 0o755 });
  return path;
}
