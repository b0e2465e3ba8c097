import { findLag } from "./correlate.ts";
import { type Media, type Pictures, SAMPLE_RATE, type Sound } from "./read-media.ts";

/** How the pictures of an output stand to those of its source; all indexes 0-based in presentation order. */
export interface PictureComparison {
  readonly sourceCount: number;
  readonly outputCount: number;
  /** Source pictures that no output picture shows. */
  readonly lost: readonly number[];
  /** Source pictures that more than one output picture shows. */
  readonly doubled: readonly number[];
  /** Output pictures that show an earlier source picture than their predecessor does. */
  readonly backwards: readonly number[];
  /** The worst likeness of an output picture to the source picture that it shows, thumbnails in grey. */
  readonly worstPsnrDb: number;
  /**
   * Largest error of a presentation time once the best constant shift is taken off; of the pictures that both have, so
   * that lost ones do not count twice.
   */
  readonly spacingErrorMs: number;
}

/** How a sound track of an output stands to the source's. */
export interface SoundComparison {
  readonly sourceLanguage: string;
  readonly outputLanguage: string;
  /**
   * How much later the sound is than in the source, measured against the pictures at several places from start to end.
   * Empty where it could not be told: silence, or too short.
   */
  readonly offsetsMs: readonly number[];
  /** The least likeness of sound at those places, 0 to 1. */
  readonly likeness: number;
  /** Against the pictures: how much later the output's track begins and ends. */
  readonly startErrorMs: number;
  readonly endErrorMs: number;
}

/** An output against its source. */
export interface Comparison {
  readonly pictures: PictureComparison;
  /** For each track that both have, in order. */
  readonly sounds: readonly SoundComparison[];
  /** Where the output's own clock begins: the earliest picture or sound in it. */
  readonly outputStartMs: number;
  /** How much later the first picture comes after the earliest of picture and sound. */
  readonly pictureStartErrorMs: number;
}

const WINDOW_SECONDS = 0.5;
const REACH_SECONDS = 0.15;
/** Two thumbnails whose mean square differs by less look the same after encoding. */
const NOISE = 0.5;
const SEARCH = 8;

/** Compares by what both decode to. */
export function compareMedia(source: Media, output: Media): Comparison {
  const pairs = source.sounds.slice(0, output.sounds.length).map((sound, index) => ({
    wanted: sound,
    found: output.sounds[index] ?? sound,
  }));
  const sourceZero = source.pictures.seconds[0] ?? 0;
  const outputZero = output.pictures.seconds[0] ?? 0;
  const pictures = comparePictures(source.pictures, output.pictures);
  return {
    pictures,
    sounds: pairs.map(({ wanted, found }) => compareSound(wanted, sourceZero, found, outputZero)),
    outputStartMs: output.startSeconds * 1000,
    pictureStartErrorMs: (outputZero - output.startSeconds - (sourceZero - source.startSeconds)) * 1000,
  };
}

/** Finds for each output picture the source picture that it shows, and says which are not shown once and in order. */
export function comparePictures(source: Pictures, output: Pictures): PictureComparison {
  const shown = matchPictures(source.thumbnails, output.thumbnails);
  const times = new Map<number, number>();
  for (const index of shown) times.set(index, (times.get(index) ?? 0) + 1);
  const shifts = shown.map((index, at) => ((output.seconds[at] ?? 0) - (source.seconds[index] ?? 0)) * 1000);
  const psnr = shown.map((index, at) => psnrDb(source.thumbnails[index], output.thumbnails[at]));
  return {
    sourceCount: source.thumbnails.length,
    outputCount: output.thumbnails.length,
    lost: source.thumbnails.flatMap((_, index) => (times.has(index) ? [] : [index])),
    doubled: [...times].flatMap(([index, count]) => (count > 1 ? [index] : [])),
    backwards: shown.flatMap((index, at) => (at > 0 && index < (shown[at - 1] ?? 0) ? [at] : [])),
    worstPsnrDb: Math.min(...psnr),
    spacingErrorMs: shifts.length === 0 ? 0 : (Math.max(...shifts) - Math.min(...shifts)) / 2,
  };
}

/** A picture that looks just like the expected one is taken for it: of a still, none can be told from the next. */
function matchPictures(source: readonly Buffer[], output: readonly Buffer[]): number[] {
  const reach = SEARCH + Math.abs(source.length - output.length);
  const shown: number[] = [];
  for (const [at, thumbnail] of output.entries()) {
    const expected = source.length === output.length ? at : (shown.at(-1) ?? -1) + 1;
    let best = Math.min(expected, source.length - 1);
    let least = squareError(source[best], thumbnail) - NOISE;
    const end = Math.min(source.length, expected + reach + 1);
    for (let index = Math.max(0, expected - reach); index < end; index++) {
      const error = squareError(source[index], thumbnail);
      if (error < least) [best, least] = [index, error];
    }
    shown.push(best);
  }
  return shown;
}

function compareSound(wanted: Sound, wantedZero: number, found: Sound, foundZero: number): SoundComparison {
  const from = Math.max(wanted.startSeconds - wantedZero, found.startSeconds - foundZero) + REACH_SECONDS;
  const to = Math.min(wanted.endSeconds - wantedZero, found.endSeconds - foundZero) - REACH_SECONDS - WINDOW_SECONDS;
  const places = to < from ? [] : [0, 0.25, 0.5, 0.75, 1].map((share) => from + (to - from) * share);
  const lags = places.flatMap((seconds) => {
    const wantedAt = (seconds + wantedZero - wanted.startSeconds) * SAMPLE_RATE;
    const foundAt = (seconds + foundZero - found.startSeconds) * SAMPLE_RATE;
    const [wantedIndex, foundIndex] = [Math.round(wantedAt), Math.round(foundAt)];
    const [length, reach] = [WINDOW_SECONDS * SAMPLE_RATE, REACH_SECONDS * SAMPLE_RATE];
    const lag = findLag(wanted.samples, wantedIndex, found.samples, foundIndex, length, reach);
    const rounded = foundIndex - foundAt - (wantedIndex - wantedAt);
    return lag === undefined ? [] : { samples: lag.samples + rounded, likeness: lag.likeness };
  });
  return {
    sourceLanguage: wanted.language,
    outputLanguage: found.language,
    offsetsMs: lags.map((lag) => (lag.samples / SAMPLE_RATE) * 1000),
    likeness: lags.length === 0 ? 0 : Math.min(...lags.map((lag) => lag.likeness)),
    startErrorMs: (found.startSeconds - foundZero - (wanted.startSeconds - wantedZero)) * 1000,
    endErrorMs: (found.endSeconds - foundZero - (wanted.endSeconds - wantedZero)) * 1000,
  };
}

function psnrDb(a: Buffer | undefined, b: Buffer | undefined): number {
  const error = squareError(a, b);
  return error === 0 ? 100 : Math.min(100, 10 * Math.log10(255 ** 2 / error));
}

/** Mean square of the difference in grey levels. */
function squareError(a: Buffer | undefined, b: Buffer | undefined): number {
  if (a === undefined || b === undefined) return 255 ** 2;
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += ((a[index] ?? 0) - (b[index] ?? 0)) ** 2;
  return sum / a.length;
}
