import {
  type BoxPart,
  concatBytes,
  FieldWriter,
  nestParts,
  serializeBox,
  serializeBoxHeader,
  serializeFullBox,
} from "./box-writer.ts";
import type { Movie } from "./movie.ts";
import { serializeMovie } from "./serialize-movie.ts";
import { serializeTfdt } from "./tfdt.ts";
import { serializeTfhd } from "./tfhd.ts";
import { serializeTrex } from "./trex.ts";
import { serializeTrun } from "./trun.ts";

/** Flags of a sample that decoding can begin at, and of any other, ISO/IEC 14496-12 §8.8.3.1. */
const SYNC_FLAGS = 0x0200_0000;
const OTHER_FLAGS = 0x0101_0000;

/** `moov` of a fragmented file: the tracks without samples, then `mvex`, ISO/IEC 14496-12 §8.8.1. Throws as `serializeMovie`. */
export function serializeFragmentedMovie(movie: Movie): Uint8Array {
  const defaults = { descriptionIndex: 1, durationTicks: 0, sizeBytes: 0, sampleFlags: 0 };
  const trex = movie.tracks.map(({ trackId }) => serializeTrex({ trackId, ...defaults }));
  const whole = serializeMovie(movie);
  return serializeBox("moov", whole.subarray(serializeBoxHeader("moov", 0).length), serializeBox("mvex", ...trex));
}

/** Samples of one track that follow each other in the file, in order of decoding; the lists are as long as each other. */
export interface Fragment {
  /** From 1. */
  readonly sequenceNumber: number;
  readonly trackId: number;
  /** Of the first sample. */
  readonly decodeTicks: number;
  readonly durations: Uint32Array;
  readonly sizes: Uint32Array;
  /** 1 where decoding can begin. */
  readonly isSync: Uint8Array;
  readonly compositionOffsets: Int32Array;
}

/** `moof` and the header of the `mdat` whose data come behind it, ISO/IEC 14496-12 §8.8.4. */
export function serializeFragmentHead(fragment: Fragment): Uint8Array {
  const { sequenceNumber, trackId, decodeTicks, durations, sizes, compositionOffsets } = fragment;
  const number = new FieldWriter(4);
  number.u32(sequenceNumber);
  const mdat = serializeBoxHeader(
    "mdat",
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const describe = (dataOffsetBytes: number): readonly BoxPart[] =>
    nestParts("moof", [
      serializeFullBox("mfhd", 0, 0, number.finish()),
      ...nestParts("traf", [
        serializeTfhd({ trackId, isDurationEmpty: false, isBaseMoof: true }),
        serializeTfdt(decodeTicks),
        serializeTrun({
          sampleCount: sizes.length,
          dataOffsetBytes,
          durations,
          sizes,
          sampleFlags: Uint32Array.from(fragment.isSync, (isSync) => (isSync === 1 ? SYNC_FLAGS : OTHER_FLAGS)),
          compositionOffsets,
        }),
      ]),
    ]);
  const moofBytes = describe(0).reduce((sum, { length }) => sum + length, 0);
  return concatBytes([...describe(moofBytes + mdat.length), mdat]);
}
