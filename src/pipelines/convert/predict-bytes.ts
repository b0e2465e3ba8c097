import { rm } from "node:fs/promises";
import { join } from "node:path";
import { countPacketBytes } from "../../ffmpeg/packets.ts";
import type { ConversionPlan } from "./conversion.ts";
import { type ConvertHooks, encodeAudio } from "./work.ts";

/** Of MP4's index and of WebM's blocks and cues, a little above what was measured. */
const BYTES_PER_PICTURE = 14;
const BYTES_PER_SOUND_PACKET = 9;
const SOUND_PACKETS_PER_SECOND = 50;
const CONTAINER_BYTES = 4096;

/** So much of the sound is encoded to see how large it becomes: encoders spend what it takes, which of silence or few channels is far less than they may. */
const TRIAL_SECONDS = 600;

/** What sound is measured of. */
export interface SoundSource extends Pick<ConversionPlan, "audio" | "originSeconds" | "durationSeconds"> {
  readonly inputPath: string;
}

/**
 * About how many bytes the sound takes, those of its index included. Copied tracks are counted, which reads the whole file; of the others the first
 * ten minutes are encoded into a file in the folder. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function predictSoundBytes(
  source: SoundSource,
  folder: string,
  { tools, signal }: Pick<ConvertHooks, "tools" | "signal">,
): Promise<number> {
  const { audio, inputPath, durationSeconds } = source;
  const trialPath = join(folder, "sound-trial.mp4");
  const isEncoded = audio.some(({ kind }) => kind === "encode");
  const hooks = { tools, signal, onProgress: () => undefined };
  if (isEncoded) await encodeAudio(source, inputPath, trialPath, hooks, TRIAL_SECONDS);
  let bytes = 0;
  let position = 0;
  for (const track of audio) {
    const seconds = track.durationSeconds ?? durationSeconds ?? 0;
    bytes += BYTES_PER_SOUND_PACKET * SOUND_PACKETS_PER_SECOND * seconds;
    if (track.kind === "copy") {
      bytes += await countPacketBytes(tools, inputPath, track.streamIndex, signal);
      continue;
    }
    const trial = await countPacketBytes(tools, trialPath, position++, signal);
    // Of a track that begins later than that, nothing is known.
    const nominal = (track.bitrateKbps * 1000 * seconds) / 8;
    bytes += trial === 0 ? nominal : trial * Math.max(1, seconds / TRIAL_SECONDS);
  }
  if (isEncoded) await rm(trialPath);
  return bytes;
}

/** Of a container with so many pictures, less its sound. */
export function predictContainerBytes(pictures: number): number {
  return CONTAINER_BYTES + BYTES_PER_PICTURE * pictures;
}
