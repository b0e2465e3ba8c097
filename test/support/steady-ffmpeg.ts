import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes into `folder` an ffmpeg that runs on the first processor that it may use, with one thread where it is told a number of them, and returns its
 * path. With several, x264 gives other bits at every run where its rate is bounded, and now and then where it is not.
 */
export function writeSteadyFfmpeg(folder: string): string {
  const path = join(folder, "steady-ffmpeg");
  writeFileSync(path, SCRIPT, { mode: 0o755 });
  return path;
}

const SCRIPT = `#!/bin/sh
previous=
for argument do
  shift
  [ "$previous" = -threads ] && argument=1
  set -- "$@" "$argument"
  previous=$argument
done
first=$(taskset -cp $$ | sed 's/.*: *//; s/[,-].*//')
exec taskset -c "$first" ffmpeg "$@"
`;
