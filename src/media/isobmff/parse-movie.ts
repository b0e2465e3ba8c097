import { ReelmillError } from "../../base/errors.ts";
import { type BoxReader, openBox } from "./box-reader.ts";
import { createMovieHeader } from "./create-track.ts";
import type { FragmentDefaults, Movie, MovieProblem, Track } from "./movie.ts";
import { parseMvhd } from "./mvhd.ts";
import { parseTrak } from "./trak.ts";
import { parseTrex } from "./trex.ts";

/** Stands in for a missing or zero movie timescale, in ticks per second. */
const FALLBACK_TIMESCALE = 1000;
const REUSED_ID = "the track ID is 0 or taken and is replaced";
/** More tracks than this are left out: a hostile file could hold millions. */
const MAX_TRACKS = 1024;

/**
 * Reads a whole `moov` box, header included. `baseOffsetBytes` is where it lies in the file and serves messages and
 * `problems` only. A track whose boxes are broken is left out and named in `problems`. Throws MEDIA_MALFORMED where
 * no track is usable. ISO/IEC 14496-12 §8.2.1.
 */
export function parseMovie(moovBytes: Uint8Array, baseOffsetBytes = 0): Movie {
  const moov = openBox(moovBytes, baseOffsetBytes);
  if (moov.type !== "moov") throw moov.fail(`a moov is expected here, not "${moov.type}"`);
  const problems: MovieProblem[] = [];
  const report = (box: BoxReader, message: string) => {
    problems.push({ path: box.path, offsetBytes: box.offsetBytes, message: `${message}.` });
  };
  const children = moov.children();
  if (children.some((box) => box.type === "cmov")) throw moov.fail("compressed movie headers are not supported");
  const header = readHeader(
    children.find((box) => box.type === "mvhd"),
    moov,
    report,
  );
  const tracks: Track[] = [];
  let firstFault: unknown;
  for (const trak of children.filter((box) => box.type === "trak").slice(0, MAX_TRACKS)) {
    try {
      tracks.push(withOwnId(parseTrak(trak, header.timescale, report), tracks, () => report(trak, REUSED_ID)));
    } catch (error) {
      if (!(error instanceof ReelmillError)) throw error;
      firstFault ??= error;
      report(trak, `the track is left out: ${error.message.replace(/\.$/, "")}`);
    }
  }
  if (tracks.length === 0) throw firstFault ?? moov.fail("the movie holds no tracks");
  const mvex = children.find((box) => box.type === "mvex");
  return {
    timescale: header.timescale,
    tracks,
    movieHeader: header.bytes,
    isFragmented: mvex !== undefined,
    ...(mvex ? { fragmentDefaults: readDefaults(mvex) } : {}),
    ...(problems.length > 0 ? { problems } : {}),
  };
}

/** Gives a track whose ID is 0 or taken the next free one: the writer and players tell tracks apart by it. */
function withOwnId(track: Track, before: readonly Track[], onChange: () => void): Track {
  const taken = before.map((other) => other.trackId);
  if (track.trackId > 0 && !taken.includes(track.trackId)) return track;
  onChange();
  let trackId = 1;
  while (taken.includes(trackId)) trackId++;
  return { ...track, trackId };
}

function readHeader(
  mvhd: BoxReader | undefined,
  moov: BoxReader,
  report: (box: BoxReader, message: string) => void,
): { readonly timescale: number; readonly bytes: Uint8Array } {
  try {
    if (mvhd && !mvhd.isClipped) {
      const { timescale } = parseMvhd(mvhd);
      if (timescale > 0) return { timescale, bytes: mvhd.copy() };
    }
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
  }
  report(mvhd ?? moov, "the movie header is missing or broken and is made anew");
  return { timescale: FALLBACK_TIMESCALE, bytes: createMovieHeader(FALLBACK_TIMESCALE, 1) };
}

function readDefaults(mvex: BoxReader): ReadonlyMap<number, FragmentDefaults> {
  const defaults = new Map<number, FragmentDefaults>();
  for (const box of mvex.children()) {
    if (box.type !== "trex" || box.bytesLeft < 24) continue;
    const { trackId, ...rest } = parseTrex(box);
    defaults.set(trackId, rest);
  }
  return defaults;
}
