import type { ByteSource } from "../media/bytes/byte-source.ts";
import { readExactly } from "../media/bytes/byte-source.ts";
import { parseAvcConfiguration } from "../media/h264/avc-configuration.ts";
import { parseHevcConfiguration } from "../media/hevc/hevc-configuration.ts";
import type { SampleEntry, SampleTable, Track } from "../media/isobmff/movie.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { annexBPieces, isIntactNal, splitSample } from "../media/nal/annex-b.ts";
import { describeEntry } from "./describe-entry.ts";
import type { Extent } from "./extents.ts";

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

/** The NAL units of one picture. */
type Picture = readonly Uint8Array[];

interface NalFormat {
  readonly format: DecoderTrial["format"];
  readonly lengthSizeBytes: number;
  readonly parameterSets: readonly Uint8Array[];
  readonly isSlice: (nal: Uint8Array) => boolean;
  /** The picture as it can stand behind pictures that do not belong to it; undefined where it needs earlier ones. */
  readonly detach: (picture: Picture) => Picture | undefined;
}

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
  const nalFormat = track.handlerType === "vide" && track.sampleEntries.length === 1 ? formatOf(entry) : undefined;
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

function formatOf(entry: SampleEntry | undefined): NalFormat | undefined {
  const avcC = entry?.children.get("avcC");
  const hvcC = entry?.children.get("hvcC");
  try {
    if (avcC) {
      const { lengthSizeBytes, spsNals, ppsNals } = parseAvcConfiguration(avcC);
      const parameterSets = [...spsNals, ...ppsNals];
      return { format: "h264", lengthSizeBytes, parameterSets, isSlice: isAvcSlice, detach: (picture) => picture };
    }
    if (!hvcC) return undefined;
    const { lengthSizeBytes, vpsNals, spsNals, ppsNals } = parseHevcConfiguration(hvcC);
    const parameterSets = [...vpsNals, ...spsNals, ...ppsNals];
    return { format: "hevc", lengthSizeBytes, parameterSets, isSlice: isHevcSlice, detach: detachHevc };
  } catch {
    // A configuration that cannot be read leaves nothing to try.
    return undefined;
  }
}

/** ITU-T H.264 table 7-1. */
function isAvcSlice([header = 0]: Uint8Array): boolean {
  const type = header & 0x1f;
  return type === 1 || type === 5;
}

/** ITU-T H.265 §7.3.1.2: VCL types are those below 32; other layers are none of the base decoder's business. */
function isHevcSlice([first = 0, second = 0]: Uint8Array): boolean {
  return ((first >> 1) & 0x3f) < 32 && ((first & 1) << 5) + (second >> 3) === 0;
}

const CRA = 21;
const BLA_N_LP = 18;

/**
 * A clean random access picture is spliced in as a broken link one is, with which it shares its syntax; leading pictures
 * (types 6–9) are left out, as they need what is not there (ITU-T H.265 §7.4.2.2, §8.1.3).
 */
function detachHevc(picture: Picture): Picture | undefined {
  const typeOf = ([header = 0]: Uint8Array): number => (header >> 1) & 0x3f;
  const type = typeOf(picture.find(isHevcSlice) ?? Uint8Array.of());
  if (type >= 6 && type <= 9) return undefined;
  if (type !== CRA) return picture;
  return picture.map((nal) => {
    if (typeOf(nal) !== CRA) return nal;
    const spliced = nal.slice();
    spliced[0] = ((nal[0] as number) & 0x81) | (BLA_N_LP << 1);
    return spliced;
  });
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

function minAlteredBytes({ visual }: SampleEntry): number {
  return ((visual?.widthPixels ?? 0) * (visual?.heightPixels ?? 0)) / FLAT_PIXELS_PER_BYTE;
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

/** Before the byte with the stop bit; zero words behind it (ITU-T H.264 §7.3.2.10) and padding are not slice data. */
function endOfSliceData(slice: Uint8Array): number {
  let end = slice.length;
  while (end > 0) {
    if (slice[end - 1] === 0) end--;
    else if (slice[end - 1] === 3 && slice[end - 2] === 0 && slice[end - 3] === 0) end -= 3;
    else break;
  }
  return Math.max(0, end - 1);
}
