import { closeSync, openSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { writeFully } from "../../base/write-fully.ts";
import { serializeAdtsHeader } from "../../media/aac/adts-header.ts";
import { parseAudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import { parseElementaryStreamDescriptor } from "../../media/aac/elementary-stream-descriptor.ts";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { parseAvcConfiguration } from "../../media/h264/avc-configuration.ts";
import { type FragmentSample, readFragmentSamples } from "../../media/isobmff/fragment-samples.ts";
import type { FragmentIndex, IndexedFragment } from "../../media/isobmff/index-fragments.ts";
import type { Movie } from "../../media/isobmff/movie.ts";
import { TransportStreamWriter } from "../../media/mpegts/transport-stream-writer.ts";
import { annexBPieces, splitSample } from "../../media/nal/annex-b.ts";
import { cutSegments } from "./cut-segments.ts";
import { fragmentBoxes, movieOf, readSample } from "./fragment-file.ts";
import { takeTurn } from "./take-turn.ts";

const TICKS_PER_SECOND = 90_000;
/** What the pictures' and the sound's first time stamp is: clocks before it need not be negative. */
export const FIRST_TIMESTAMP_TICKS = 10 * TICKS_PER_SECOND;
/** Pictures begin to arrive so much before they are decoded. */
const CLOCK_LEAD_TICKS = TICKS_PER_SECOND / 2;
/** An access unit delimiter that allows every kind of slice (ITU-T H.264 §7.3.2.4). */
const DELIMITER = Uint8Array.of(9, 0xf0);
const TIMESTAMP_OWNER = "com.apple.streaming.transportStreamTimestamp\0";

/**
 * Writes the H.264 pictures of a fragmented file as a transport stream: each fragment begins with PAT, PMT and its IDR. The index is that of
 * the new file, whose fragments can be cut apart anywhere between each other. Throws MEDIA_MALFORMED, ABORTED, and what the system throws.
 */
export async function writeTransportStream(
  path: string,
  index: FragmentIndex,
  target: string,
  signal: AbortSignal,
): Promise<FragmentIndex> {
  return await rewrite({ path, index, target, signal }, (source, movie) => {
    const avcC = movie.tracks[0]?.sampleEntries[0]?.children.get("avcC");
    if (avcC === undefined) throw new ReelmillError("MEDIA_MALFORMED", "The pictures are not H.264 (avcC is missing).");
    const { lengthSizeBytes, spsNals, ppsNals } = parseAvcConfiguration(avcC);
    const writer = new TransportStreamWriter();
    const ticksOf = (ticks: number): number => timestampOf(ticks, index.timescale);
    return (samples, append) => {
      append(writer.tables());
      for (const [place, sample] of samples.entries()) {
        const isKey = place === 0;
        const nals = splitSample(readSample(source, sample), lengthSizeBytes);
        if (nals === undefined)
          throw new ReelmillError("MEDIA_MALFORMED", "A picture's NAL units do not add up to it.");
        const unit = [...annexBPieces([DELIMITER, ...(isKey ? [...spsNals, ...ppsNals] : []), ...nals])];
        const decodeTicks = ticksOf(sample.decodeTicks);
        append(
          writer.picture({
            ...{ decodeTicks, presentationTicks: ticksOf(sample.presentationTicks), isKey },
            ...{ clockTicks: decodeTicks - CLOCK_LEAD_TICKS, data: Buffer.concat(unit) },
          }),
          isKey,
        );
      }
    };
  });
}

/**
 * As `writeTransportStream`, of AAC as packed audio (RFC 8216bis §3.1.3): ADTS frames, and before those of each segment an ID3 tag with their time.
 */
export async function writePackedAudio(
  path: string,
  index: FragmentIndex,
  target: string,
  signal: AbortSignal,
): Promise<FragmentIndex> {
  const starts = new Set(cutSegments(index, "single-file").map(({ fragments }) => fragments[0]?.startTicks));
  return await rewrite({ path, index, target, signal }, (source, movie) => {
    const esds = movie.tracks[0]?.sampleEntries[0]?.children.get("esds");
    const info = esds && parseElementaryStreamDescriptor(esds)?.decoderSpecificInfo;
    if (info === undefined) throw new ReelmillError("MEDIA_MALFORMED", "The sound is not AAC (esds is missing).");
    const config = parseAudioSpecificConfig(info);
    return (samples, append) => {
      const startTicks = samples[0]?.decodeTicks ?? 0;
      if (starts.has(startTicks)) append(timestampTag(timestampOf(startTicks, index.timescale)));
      for (const sample of samples) {
        const frame = readSample(source, sample);
        append(Buffer.concat([serializeAdtsHeader(config, frame.length), frame]), sample === samples[0]);
      }
    };
  });
}

interface Rewriting {
  readonly path: string;
  readonly index: FragmentIndex;
  readonly target: string;
  readonly signal: AbortSignal;
}

type Append = (bytes: Uint8Array, isFirstSample?: boolean) => void;

/** Writes every fragment anew by what `prepare` gives, and notes where it then lies. */
async function rewrite(
  { path, index, target, signal }: Rewriting,
  prepare: (source: ByteSource, movie: Movie) => (samples: readonly FragmentSample[], append: Append) => void,
): Promise<FragmentIndex> {
  const source = openFileSource(path);
  const descriptor = openSync(target, "wx");
  try {
    const movie = movieOf(source, index);
    const writeFragment = prepare(source, movie);
    let endBytes = 0;
    const fragments: IndexedFragment[] = [];
    for (const fragment of index.fragments) {
      await takeTurn(signal);
      const startBytes = endBytes;
      let firstSampleEndBytes = startBytes;
      const samples = fragmentBoxes(source, fragment).flatMap((moof) => readFragmentSamples(source, moof, movie));
      writeFragment(samples, (bytes, isFirstSample = false) => {
        writeFully(descriptor, bytes);
        endBytes += bytes.length;
        if (isFirstSample) firstSampleEndBytes = endBytes;
      });
      fragments.push({ ...fragment, startBytes, endBytes, firstSampleEndBytes });
    }
    return { ...index, initializationBytes: 0, fragments };
  } finally {
    closeSync(descriptor);
    source.close();
  }
}

function timestampOf(ticks: number, timescale: number): number {
  return FIRST_TIMESTAMP_TICKS + Math.round((ticks * TICKS_PER_SECOND) / timescale);
}

/** An ID3v2.4 tag with one PRIV frame (RFC 8216bis §3.1.3). */
function timestampTag(ticks: number): Uint8Array {
  const body = Buffer.alloc(TIMESTAMP_OWNER.length + 8);
  body.write(TIMESTAMP_OWNER, "latin1");
  body.writeBigUInt64BE(BigInt(ticks) & 0x1_ffff_ffffn, TIMESTAMP_OWNER.length);
  const frame = Buffer.concat([Buffer.from("PRIV"), Buffer.of(0, 0, 0, body.length, 0, 0), body]);
  return Buffer.concat([Buffer.from("ID3"), Buffer.of(4, 0, 0, 0, 0, 0, frame.length), frame]);
}
