import type { ByteSource } from "../media/bytes/byte-source.ts";
import { readExactly } from "../media/bytes/byte-source.ts";
import type { SampleEntry, SampleTable, Track } from "../media/isobmff/movie.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { annexBPieces, endOfSliceData, isIntactNal, splitSample } from "../media/nal/annex-b.ts";
import { describeEntry } from "./describe-entry.ts";
import type { Extent } from "./extents.ts";
import { type NalFormat, nalFormatOf, type Picture } from "./nal-format.ts";

/*
 * Pictures of another size or with other coding tools have slice headers that read the same, and the arithmetic decoder
 * makes something of any bits: what it makes is wrong, mostly without a word. What gives it away is where it stops. With
 * the right parameters the last bytes of a picture say how its last corner looks; with wrong ones the decoder is done
 * before it comes to them, or does not notice that they came. So pictures are decoded twice, the second time with their
 * last bytes altered: where that changes nothing, they were not read.
 */

/** How much of a recording is tried. */
export interface TrialSize {
  /** Stretches, each from a key picture on, spread over the whole. */
  readonly stretches: number;
  /** Pictures in each, the key picture included. */
  readonly pictures: number;
}

/** Pictures of one track, ready for a decoder. */
export interface DecoderTrial {
  /** As ffmpeg names the byte stream. */
  readonly format: "h264" | "hevc";
  /** The track in the user's terms. */
  readonly description: string;
  /** Pixels of a picture, as the track's description says; 0 where it does not. */
  readonly pixels: number;
  /** A key picture each, and some that follow it in decode order. */
  readonly stretches: readonly TrialStream[];
  /** The key pictures alone, their last bytes altered; undefined where all are too small for that. */
  readonly alteredKeys: TrialStream | undefined;
  /** Stretches again, each up to one of the smaller pictures behind the key picture, whose last bytes are altered. */
  readonly alteredEnds: readonly TrialStream[];
}

/**
 * A byte stream with start codes, read from the source piece by piece while it is iterated, each time anew: pictures may be
 * large. It begins with the parameter sets and a key picture, so that streams may be joined.
 */
export type TrialStream = Iterable<Uint8Array>;

/** Stretches share this; the key picture of each is taken all the same, and the pictures behind it as far as there is room. */
const MAX_TRIAL_BYTES = 32 * 1024 * 1024;
const MAX_PICTURE_BYTES = 16 * 1024 * 1024;
/** Pictures with less than one byte for so many pixels are flat: they look the same whatever their last bytes say. */
const FLAT_PIXELS_PER_BYTE = 1000;
const MIN_ALTERED_SLICE_BYTES = 32;
/** The last 64th of a slice is altered, within these bounds. */
const ALTERED = { divisor: 64, minBytes: 4, maxBytes: 256 } as const;

/**
 * The trial that a track in `source` allows, undefined where it is neither H.264 nor HEVC or has no whole picture. Stretches
 * end before a range of `damage`, so that what a decoder complains of is not explained by it.
 */
export function planDecoderTrial(
  track: Track,
  source: ByteSource,
  damage: readonly Extent[],
  size: TrialSize,
): DecoderTrial | undefined {
  const entry = track.sampleEntries[0];
  const nalFormat = track.handlerType === "vide" && track.sampleEntries.length === 1 ? nalFormatOf(entry) : undefined;
  if (entry === undefined || nalFormat === undefined) return undefined;
  const isAlterable = (place: Place | undefined): boolean => {
    const picture = place && readPicture(place, source, nalFormat);
    return picture !== undefined && alterTail(picture, nalFormat, minAlteredBytes(entry)) !== undefined;
  };
  const maxBytes = MAX_TRIAL_BYTES / size.stretches;
  const stretches = placesOf(track.samples, damage, size)
    .map((places) => wholePictures(places, source, nalFormat, maxBytes))
    .filter((places) => places.length > 0);
  if (stretches.length === 0) return undefined;
  const keys = stretches.flatMap((places) => places.slice(0, 1)).filter(isAlterable);
  const endsPerStretch = Math.ceil(size.stretches / stretches.length);
  const ends = stretches.flatMap((places) =>
    smallestFollowers(places, minAlteredBytes(entry), endsPerStretch)
      .filter((last) => isAlterable(places[last]))
      .map((last) => places.slice(0, last + 1)),
  );
  const stream = (places: readonly Place[], isAltered: (place: Place) => boolean): TrialStream => ({
    *[Symbol.iterator]() {
      yield* annexBPieces(nalFormat.parameterSets);
      for (const place of places) {
        const picture = readPicture(place, source, nalFormat);
        const altered = picture && isAltered(place) ? alterTail(picture, nalFormat, minAlteredBytes(entry)) : picture;
        if (altered) yield* annexBPieces(altered);
      }
    },
  });
  return {
    format: nalFormat.format,
    description: describeEntry(entry),
    pixels: pixelsOf(entry),
    stretches: stretches.map((places) => stream(places, () => false)),
    alteredKeys: keys.length === 0 ? undefined : stream(keys, () => true),
    alteredEnds: ends.map((places) => stream(places, (place) => place === places.at(-1))),
  };
}

/** The smallest pictures behind the key picture that are not flat: a small one is seldom damaged where nobody sees it. */
function smallestFollowers(places: readonly Place[], minBytes: number, count: number): readonly number[] {
  return places
    .map(({ sizeBytes }, index) => ({ index, sizeBytes }))
    .filter(({ index, sizeBytes }) => index > 0 && sizeBytes >= minBytes)
    .sort((a, b) => a.sizeBytes - b.sizeBytes)
    .slice(0, count)
    .map(({ index }) => index);
}

function bytesOf(picture: Picture): number {
  return picture.reduce((sum, nal) => sum + nal.length, 0);
}

interface Place {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Key samples spread evenly, each with its followers up to the next damage. */
function placesOf(samples: SampleTable, damage: readonly Extent[], size: TrialSize): Place[][] {
  const keys = samples.syncSamples ?? Uint32Array.from({ length: samples.sampleCount }, (_, index) => index);
  const count = Math.min(size.stretches, keys.length);
  const chosen = Array.from({ length: count }, (_, index) => keys[Math.floor((index * keys.length) / count)] as number);
  const stretches = chosen.map((): Place[] => []);
  let open = 0;
  forEachSample(samples, (sample, offset, sizeBytes) => {
    while (open < count && sample >= (chosen[open] as number) + size.pictures) open++;
    for (let index = open; index < count && (chosen[index] as number) <= sample; index++) {
      if (sample < (chosen[index] as number) + size.pictures) stretches[index]?.push({ offset, sizeBytes });
    }
  });
  return stretches.map((places) => {
    const first = places[0]?.offset ?? 0;
    const end = damage
      .filter((range) => range.endOffset > first)
      .reduce((least, range) => Math.min(least, range.startOffset), Number.POSITIVE_INFINITY);
    return places.filter(({ offset, sizeBytes }) => offset + sizeBytes <= end);
  });
}

/** Pictures up to the first that is damaged, or that would make the stretch too large. */
function wholePictures(
  places: readonly Place[],
  source: ByteSource,
  nalFormat: NalFormat,
  maxBytes: number,
): readonly Place[] {
  const whole: Place[] = [];
  let bytes = 0;
  for (const place of places) {
    bytes += place.sizeBytes;
    if (place.sizeBytes > MAX_PICTURE_BYTES || (whole.length > 0 && bytes > maxBytes)) break;
    const picture = readPicture(place, source, nalFormat);
    if (picture === undefined) break;
    if (picture.length > 0) whole.push(place);
  }
  return whole;
}

/** Undefined where it is damaged, empty where it cannot be decoded behind foreign pictures. */
function readPicture({ offset, sizeBytes }: Place, source: ByteSource, nalFormat: NalFormat): Picture | undefined {
  const sample = readExactly(source, offset, sizeBytes);
  const nals = sample && splitSample(sample, nalFormat.lengthSizeBytes);
  return nals?.every(isIntactNal) ? (nalFormat.detach(nals) ?? []) : undefined;
}

function pixelsOf({ visual }: SampleEntry): number {
  return (visual?.widthPixels ?? 0) * (visual?.heightPixels ?? 0);
}

function minAlteredBytes(entry: SampleEntry): number {
  return pixelsOf(entry) / FLAT_PIXELS_PER_BYTE;
}

/** Alters the last bytes of the picture's last slice where they lie; undefined where it is too small for that to tell. */
function alterTail(picture: Picture, { isSlice }: NalFormat, minPictureBytes: number): Picture | undefined {
  const last = picture.findLastIndex(isSlice);
  const slice = picture[last];
  if (slice === undefined || bytesOf(picture) < minPictureBytes) return undefined;
  const end = endOfSliceData(slice);
  if (end < MIN_ALTERED_SLICE_BYTES) return undefined;
  const length = Math.max(ALTERED.minBytes, Math.min(ALTERED.maxBytes, Math.floor(end / ALTERED.divisor)));
  for (let index = end - length; index < end; index++) {
    // Never zero, so that no start code comes about.
    slice[index] = (slice[index] as number) ^ 0x55 || 0xaa;
  }
  return picture;
}
