import { type Comparison, compareMedia } from "./compare.ts";
import type { Media } from "./read-media.ts";
import type { SourceFacts } from "./recipes.fixture.ts";

/** How near an output has to come; in milliseconds. */
const SPACING_MS = { mp4: 0.05, webm: 0.501 } as const;
const OFFSET_MS = 1;
/** A track may begin and end by a frame of the longest usual codec (AAC, 1024 samples at 44.1 kHz) beside its place. */
const SOUND_EDGE_MS = 24;
const LIKENESS = 0.8;
const PSNR_DB = 25;
/**
 * Of two fields one is shown. The picture's number in a source's thumbnail is a mixture of both fields', the output's is
 * not: an output that is more like its source than this still has both.
 */
const FIELD_PSNR_DB = [15, 35] as const;

/** Names all that is wrong with an output, with figures; empty where it is a true conversion of its source. */
export function listFaults(source: Media, output: Media, facts: SourceFacts, container: "mp4" | "webm"): string[] {
  const comparison = compareMedia(source, output);
  return [
    ...pictureFaults(comparison, facts, container),
    ...soundFaults(comparison, source, output),
    ...lookFaults(source, output),
    ...extraFaults(source, output),
  ];
}

/** Names what a source is not that its record says it is. */
export function listUntruths(source: Media, facts: SourceFacts): string[] {
  const { look, pictures, sounds, chapters, texts } = source;
  const steps = pictures.seconds.slice(1).map((seconds, index) => seconds - (pictures.seconds[index] ?? 0));
  const isSteady = steps.length === 0 || Math.max(...steps) - Math.min(...steps) < 0.002;
  const said: Record<string, readonly [unknown, unknown]> = {
    pictures: [facts.frameCount, pictures.seconds.length],
    interlaced: [facts.isInterlaced ?? false, look.isInterlaced],
    "turned on its side": [facts.isOnSide ?? false, look.shownHeight > look.shownWidth],
    "steady rate": [facts.isConstantRate, isSteady],
    "10 bits": [facts.bitDepth === 10, look.pixelFormat.includes("10")],
    languages: [facts.audioLanguages.join(), sounds.map(({ language }) => language).join()],
    chapters: [facts.chapterCount ?? 0, chapters.length],
    texts: [facts.textTracks ?? 0, texts.length],
  };
  return Object.entries(said).flatMap(([name, [wanted, found]]) =>
    wanted === found ? [] : [`source: ${name} ${found}, not ${wanted}`],
  );
}

function pictureFaults({ pictures, ...starts }: Comparison, facts: SourceFacts, container: "mp4" | "webm"): string[] {
  const faults: string[] = [];
  const { lost, doubled, backwards } = pictures;
  const say = (isWrong: boolean, text: string): void => {
    if (isWrong) faults.push(text);
  };
  say(pictures.outputCount !== facts.frameCount, `pictures ${pictures.outputCount}/${facts.frameCount}`);
  say(lost.length > 0, `lost pictures ${shorten(lost)}`);
  say(doubled.length > 0, `doubled pictures ${shorten(doubled)}`);
  say(backwards.length > 0, `pictures before their turn ${shorten(backwards)}`);
  const [least, most] = facts.isInterlaced ? FIELD_PSNR_DB : [PSNR_DB, Number.POSITIVE_INFINITY];
  say(pictures.worstPsnrDb < least, `PSNR ${pictures.worstPsnrDb.toFixed(1)} dB`);
  say(pictures.worstPsnrDb > most, `both fields in one picture, PSNR ${pictures.worstPsnrDb.toFixed(1)} dB`);
  say(pictures.spacingErrorMs > SPACING_MS[container], `times off by ${pictures.spacingErrorMs.toFixed(3)} ms`);
  say(Math.abs(starts.outputStartMs) > SOUND_EDGE_MS, `begins at ${starts.outputStartMs.toFixed(1)} ms`);
  say(
    Math.abs(starts.pictureStartErrorMs) > SOUND_EDGE_MS,
    `pictures begin ${starts.pictureStartErrorMs.toFixed(1)} ms late`,
  );
  return faults;
}

function soundFaults(comparison: Comparison, source: Media, output: Media): string[] {
  const faults: string[] = [];
  if (output.sounds.length !== source.sounds.length) {
    faults.push(`sound tracks ${output.sounds.length}/${source.sounds.length}`);
  }
  comparison.sounds.forEach((sound, index) => {
    const say = (isWrong: boolean, text: string): void => {
      if (isWrong) faults.push(`sound ${index}: ${text}`);
    };
    const offsets = sound.offsetsMs.map((offset) => offset.toFixed(2)).join(", ");
    const [wanted, found] = [source.sounds[index], output.sounds[index]];
    say(
      sound.offsetsMs.some((offset) => Math.abs(offset) >= OFFSET_MS),
      `late by ${offsets} ms`,
    );
    say(sound.offsetsMs.length > 0 && sound.likeness < LIKENESS, `likeness ${sound.likeness.toFixed(2)}`);
    say(Math.abs(sound.startErrorMs) > SOUND_EDGE_MS, `begins ${sound.startErrorMs.toFixed(1)} ms late`);
    say(Math.abs(sound.endErrorMs) > SOUND_EDGE_MS, `ends ${sound.endErrorMs.toFixed(1)} ms late`);
    say(sound.sourceLanguage !== sound.outputLanguage, `language ${sound.outputLanguage}, not ${sound.sourceLanguage}`);
    say(wanted?.channels !== found?.channels, `channels ${found?.channels}, not ${wanted?.channels}`);
  });
  return faults;
}

function lookFaults({ look: wanted }: Media, { look: found }: Media): string[] {
  const faults: string[] = [];
  const shape = (look: typeof wanted): number => look.shownWidth / look.shownHeight;
  // Pictures of 4:2:0 have even sides; those of the source need not.
  const isSameSize =
    Math.abs(found.shownHeight - wanted.shownHeight) <= 1 && Math.abs(found.shownWidth - wanted.shownWidth) <= 2;
  if (!isSameSize || Math.abs(shape(found) / shape(wanted) - 1) > 0.01) {
    faults.push(`shown as ${found.shownWidth}×${found.shownHeight}, not ${wanted.shownWidth}×${wanted.shownHeight}`);
  }
  if (found.isInterlaced) faults.push("interlaced");
  for (const name of ["range", "matrix", "transfer", "primaries"] as const) {
    const [before, after] = [wanted.colour[name], found.colour[name]];
    // What says nothing of its range has the narrow one.
    const isSame = before === after || (before === "tv" && after === "unknown");
    if (before !== "unknown" && !isSame) faults.push(`colour ${name} ${after}, not ${before}`);
  }
  // H.264 of 8 bits carries no HDR10.
  if (found.codec !== "h264" && wanted.hdr !== found.hdr) faults.push(`HDR "${found.hdr}", not "${wanted.hdr}"`);
  return faults;
}

function extraFaults(source: Media, output: Media): string[] {
  const faults: string[] = [];
  const chapters = ({ chapters: list }: Media): string =>
    list
      .map(({ title, ...times }) => `${title} ${times.startSeconds.toFixed(2)}–${times.endSeconds.toFixed(2)}`)
      .join(", ");
  const texts = ({ texts: list }: Media): string => list.map(({ language }) => language).join(", ");
  if (chapters(source) !== chapters(output)) faults.push(`chapters "${chapters(output)}", not "${chapters(source)}"`);
  if (source.title !== output.title) faults.push(`title "${output.title}", not "${source.title}"`);
  if (texts(source) !== texts(output)) faults.push(`texts "${texts(output)}", not "${texts(source)}"`);
  return faults;
}

function shorten(indexes: readonly number[]): string {
  return indexes.length <= 6 ? indexes.join(", ") : `${indexes.slice(0, 5).join(", ")}, … (${indexes.length})`;
}
