import type { AudioStream, MediaManifest } from "../../ffmpeg/manifest.ts";
import { probeManifest } from "../../ffmpeg/manifest.ts";
import { measureDecodedSound, measureSounds, type SoundEnds } from "../../ffmpeg/sound-ends.ts";
import type { AudioPlan, ConversionCheck, ConversionPlan } from "./conversion.ts";
import type { ConvertHooks } from "./work.ts";

type Bounds = Pick<ConvertHooks, "tools" | "signal">;

/** A packet of sound of the usual codecs, and what containers round. */
const SLACK_SECONDS = 0.03;
/** Samples of an AAC packet, which the last one is filled up to. */
const AAC_SAMPLES = 1024;

interface Paths {
  readonly inputPath: string;
  readonly outputPath: string;
}

/**
 * Whether each sound track begins and ends as the source's, within a packet: by what the files declare, where that differs or is missing by their
 * packets, and, as packets may not decode, by what the decoder makes of the source. Throws FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function checkSoundEnds(
  { audio, originSeconds }: ConversionPlan,
  manifest: MediaManifest,
  { inputPath, outputPath }: Paths,
  bounds: Bounds,
): Promise<ConversionCheck> {
  const input = readOnce(inputPath, bounds);
  const output = readOnce(outputPath, bounds);
  const faults: string[] = [];
  for (const [index, track] of audio.entries()) {
    const stream = manifest.audio[index];
    if (stream === undefined) continue;
    const made = declaredEnds(stream) ?? (await output()).get(stream.index);
    if (made === undefined) {
      // Of a track that no decoder makes anything of, nothing comes out.
      if ((await decodedEnds(track, inputPath, bounds)) !== undefined) {
        faults.push(`sound track ${track.position} came out empty`);
      }
      continue;
    }
    const slackSeconds = Math.max(SLACK_SECONDS, made.longestSeconds, packetSeconds(stream));
    const compare = (source: SoundEnds | undefined): readonly string[] =>
      source === undefined ? [] : describeEnds(track, shift(source, originSeconds), made, slackSeconds);
    const declared = declaredEnds(track);
    if (declared !== undefined && compare(declared).length === 0) continue;
    const measured = compare((await input()).get(track.streamIndex));
    if (measured.length === 0) continue;
    faults.push(...(track.kind === "copy" ? measured : compare(await decodedEnds(track, inputPath, bounds))));
  }
  if (faults.length > 0) return { name: "duration", status: "failed", detail: faults.join(", ") };
  return { name: "duration", status: "passed", detail: "sound begins and ends as in the source" };
}

/** A file's packets are read for the first track that needs them. */
function readOnce(path: string, { tools, signal }: Bounds): () => Promise<ReadonlyMap<number, SoundEnds>> {
  let reading: Promise<ReadonlyMap<number, SoundEnds>> | undefined;
  return () => {
    reading ??= measureSounds(tools, path, signal);
    return reading;
  };
}

async function decodedEnds(
  { streamIndex }: AudioPlan,
  inputPath: string,
  { tools, signal }: Bounds,
): Promise<SoundEnds | undefined> {
  const { audio } = await probeManifest(tools, inputPath, signal);
  const stream = audio.find(({ index }) => index === streamIndex);
  return stream === undefined ? undefined : await measureDecodedSound(tools, inputPath, stream, signal);
}

/** Undefined where the container does not tell both. */
function declaredEnds({
  startSeconds,
  durationSeconds,
}: {
  readonly startSeconds: number | null | undefined;
  readonly durationSeconds: number | null | undefined;
}): SoundEnds | undefined {
  if (startSeconds == null || durationSeconds == null) return undefined;
  return { startSeconds, endSeconds: startSeconds + durationSeconds, longestSeconds: 0 };
}

function shift({ startSeconds, endSeconds, longestSeconds }: SoundEnds, originSeconds: number): SoundEnds {
  return { startSeconds: startSeconds - originSeconds, endSeconds: endSeconds - originSeconds, longestSeconds };
}

function packetSeconds({ codec, sampleRateHz }: AudioStream): number {
  return codec === "aac" && sampleRateHz > 0 ? AAC_SAMPLES / sampleRateHz : 0;
}

function describeEnds(track: AudioPlan, wanted: SoundEnds, made: SoundEnds, slackSeconds: number): readonly string[] {
  const slack = Math.max(slackSeconds, wanted.longestSeconds);
  // An encoder fills up its last packet.
  const late = track.kind === "encode" ? made.longestSeconds : 0;
  const compare = (what: string, due: number, found: number, more = 0): readonly string[] =>
    found >= due - slack && found <= due + slack + more
      ? []
      : [`sound track ${track.position} ${what} at ${found.toFixed(3)} s, in the source at ${due.toFixed(3)} s`];
  return [
    ...compare("begins", wanted.startSeconds, made.startSeconds),
    ...compare("ends", wanted.endSeconds, made.endSeconds, late),
  ];
}
