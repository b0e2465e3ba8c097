import { countPacketBytes } from "../../ffmpeg/packets.ts";
import type { AudioPlan } from "./conversion.ts";
import type { ConvertHooks } from "./work.ts";

/** Of MP4's index and of WebM's blocks and cues, a little above what was measured. */
const BYTES_PER_PICTURE = 14;
const BYTES_PER_SOUND_PACKET = 9;
const SOUND_PACKETS_PER_SECOND = 50;
const CONTAINER_BYTES = 4096;

/**
 * About how many bytes the sound takes, those of its index included. Copied tracks are counted, which reads the whole file. Throws
 * FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function predictSoundBytes(
  audio: readonly AudioPlan[],
  inputPath: string,
  durationSeconds: number,
  { tools, signal }: Pick<ConvertHooks, "tools" | "signal">,
): Promise<number> {
  let bytes = 0;
  for (const track of audio) {
    const seconds = track.durationSeconds ?? durationSeconds;
    bytes += BYTES_PER_SOUND_PACKET * SOUND_PACKETS_PER_SECOND * seconds;
    if (track.kind === "encode") bytes += (track.bitrateKbps * 1000 * seconds) / 8;
    else bytes += await countPacketBytes(tools, inputPath, track.streamIndex, signal);
  }
  return bytes;
}

/** Of a container with so many pictures, less its sound. */
export function predictContainerBytes(pictures: number): number {
  return CONTAINER_BYTES + BYTES_PER_PICTURE * pictures;
}
