import type { ByteSource } from "../media/bytes/byte-source.ts";
import { ByteWindow } from "../media/bytes/byte-window.ts";
import type { Movie, SampleTable, Track } from "../media/isobmff/movie.ts";
import { CUT, type PacketParser } from "./codecs/packet-parser.ts";
import { createParser } from "./codecs/registry.ts";
import { learnProfile, type TrackProfile } from "./learn/profile.ts";

/** Formats whose samples are NAL units behind their lengths. */
export const NAL_FORMATS: ReadonlySet<string> = new Set("avc1 avc3 dva1 dvav hvc1 hev1 dvh1 dvhe".split(" "));

/** Formats whose packets tell their own size, so that an index can be held against the bytes. */
export const CHECKED_FORMATS: ReadonlySet<string> = new Set(
  "avc1 avc3 hvc1 hev1 dvh1 dvhe av01 apch apcn apcs apco ap4h ap4x AVdn AVdh jpeg mp4a .mp3 ac-3 ec-3 fLaC".split(" "),
);
const PROBED_IN_A_ROW = 3;
/** Samples beyond this many are not walked to for the probes in the middle and at the end. */
const MAX_WALKED_SAMPLES = 2_000_000;

/**
 * Whether samples lie where the index says: at the start, in the middle or at the end of some track packets of its
 * codec and of the sizes listed stand in the bytes. True where no track's codec can tell.
 */
export function fitsBytes(movie: Movie, source: ByteSource): boolean {
  const profile = learnProfile(movie, source);
  const window = new ByteWindow(source, 64 * 1024);
  let wasAsked = false;
  for (const own of profile.tracks) {
    const parser = tryParser(own);
    if (parser === undefined || parser === "unreadable") continue;
    const answer = anyFits(parser, own.track.samples, window);
    if (answer) return true;
    if (answer === false) wasAsked = true;
  }
  return !wasAsked;
}

/** Whether the codec configuration of every track can be read, as far as it is a checked kind. */
export function hasReadableConfiguration(movie: Movie, source: ByteSource): boolean {
  return learnProfile(movie, source).tracks.every((own) => !isChecked(own.track) || tryParser(own) !== "unreadable");
}

function tryParser(own: TrackProfile): PacketParser | "unreadable" | undefined {
  if (!isChecked(own.track)) return undefined;
  try {
    const parser = createParser(own);
    return parser.isSelfDelimiting ? parser : undefined;
  } catch {
    // A configuration that cannot be read says nothing about the index.
    return "unreadable";
  }
}

function isChecked({ sampleEntries, samples }: Track): boolean {
  return samples.sampleCount > 0 && sampleEntries.length === 1 && CHECKED_FORMATS.has(sampleEntries[0]?.format ?? "");
}

/** Undefined where no sample to ask about lies in the file. */
function anyFits(parser: PacketParser, samples: SampleTable, window: ByteWindow): boolean | undefined {
  let wasAsked = false;
  for (const { offset, sizeBytes } of placesOf(samples)) {
    if (sizeBytes === 0 || offset + sizeBytes > window.sizeBytes) continue;
    wasAsked = true;
    const found = parser.probe(window, offset, offset + sizeBytes);
    // Recorders may pad a sample: the packet may be shorter than what is listed.
    if (found !== undefined && found !== CUT) return true;
  }
  return wasAsked ? false : undefined;
}

interface Place {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Three samples each at the start, in the middle and at the end. */
function placesOf(samples: SampleTable): Place[] {
  const starts = [0, samples.sampleCount >> 1, samples.sampleCount - PROBED_IN_A_ROW];
  const wanted = new Set(starts.flatMap((start) => [start, start + 1, start + 2]));
  const places: Place[] = [];
  let sample = 0;
  for (let chunk = 0; chunk < samples.chunkOffsets.length && sample < MAX_WALKED_SAMPLES; chunk++) {
    let offset = samples.chunkOffsets[chunk] as number;
    const end = Math.min(MAX_WALKED_SAMPLES, sample + (samples.chunkSampleCounts[chunk] as number));
    for (; sample < end; sample++) {
      const sizeBytes = samples.constantSizeBytes || (samples.sizes[sample] ?? 0);
      if (wanted.has(sample)) places.push({ offset, sizeBytes });
      offset += sizeBytes;
    }
  }
  return places;
}
