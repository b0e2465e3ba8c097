import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requireFfmpeg } from "../../src/ffmpeg/programs.ts";
import type { FfmpegTools } from "../../src/ffmpeg/tools.ts";

/** An ffmpeg with a device that this machine does not have. */
export interface FakeDevice {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The encodes that the device was asked for, but for trials: the arguments of each. */
  readonly encodes: () => readonly string[];
}

/** What goes wrong. */
export interface FakeFaults {
  /** The device fails at encodes whose arguments hold this. */
  readonly failsAt: string;
  /** libx264 passes its trial and fails at files. */
  readonly softwareFails?: boolean;
  /** The device sets key pictures that nobody asked for. */
  readonly setsOwnKeys?: boolean;
  /** What the device writes does not decode. */
  readonly spoilsPictures?: boolean;
}

/** The device of one test, in a folder of its own below `folder`. */
export async function deviceIn(
  folder: string,
  name: string,
  faults: FakeFaults,
): Promise<{ readonly own: string; readonly device: FakeDevice }> {
  const own = join(folder, name);
  mkdirSync(own);
  return { own, device: makeFakeDevice(own, await requireFfmpeg(process.env), faults) };
}

/**
 * Makes an ffmpeg that has NVENC, by libx264 in a profile of its own, so that what it makes of spans cannot be joined with what libx264 makes
 * by itself. A trial of one picture works.
 */
function makeFakeDevice(
  folder: string,
  { ffmpegPath }: Pick<FfmpegTools, "ffmpegPath">,
  { failsAt, softwareFails = false, setsOwnKeys = false, spoilsPictures = false }: FakeFaults,
): FakeDevice {
  const path = join(folder, "ffmpeg-with-device");
  const log = join(folder, "device-encodes");
  writeFileSync(log, "");
  const script = `#!/bin/bash
all="$*"
real=${JSON.stringify(ffmpegPath)}
case "$all" in
*h264_nvenc*"-f null -") exit 0;;
*h264_nvenc*)
  printf '%s\\n' "$all" >> ${JSON.stringify(log)}
  case "$all" in *${JSON.stringify(failsAt)}*)
    echo "[h264_nvenc @ 0x55d1] EncodePicture failed: the device was lost" >&2; exit 1;;
  esac
  arguments=()
  while [ $# -gt 0 ]; do
    case "$1" in
    h264_nvenc) arguments+=(libx264 -preset ultrafast -profile:v baseline -sc_threshold 0${setsOwnKeys ? " -x264-params keyint=10" : ""});;
    -cq) arguments+=(-crf "$2"); shift;;
    -rc|-preset|-no-scenecut) shift;;
    *) arguments+=("$1");;
    esac
    shift
  done
  "$real" "\${arguments[@]}" || exit $?
  if ${spoilsPictures}; then
    file=$(echo "\${arguments[-1]}" | sed s/^file://)
    head -c 2000 /dev/zero | dd of="$file" bs=1 seek=$(($(wc -c < "$file") / 2)) conv=notrunc 2>/dev/null
  fi
  exit 0;;
*libx264*"-f null -") ;;
*libx264*) if ${softwareFails}; then echo "[libx264 @ 0x55d1] out of luck" >&2; exit 1; fi;;
esac
exec "$real" "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return {
    environment: { ...process.env, REELMILL_FFMPEG: path },
    encodes: () => readFileSync(log, "utf8").split("\n").filter(Boolean),
  };
}
