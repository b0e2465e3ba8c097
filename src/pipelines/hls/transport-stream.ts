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
import { createFragmentTable, type FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import type { Movie } from "../../media/isobmff/movie.ts";
import { AUDIO_DESCRIPTION_OWNER, audioSetupInformation } from "../../media/mpegts/stream-encryption.ts";
import { TransportStreamWriter } from "../../media/mpegts/transport-stream-writer.ts";
import { annexBPieces, splitSample } from "../../media/nal/annex-b.ts";
import { cutSegments } from "./cut-segments.ts";
import { fragmentBoxes, type IndexedFile, movieOf, readSample } from "./fragment-file.ts";
import { takeTurn } from "./take-turn.ts";

const TICKS_PER_SECOND = 90_000;
/** What the pictures' and the sound's first time stamp is: clocks before it need not be negative. */
export const FIRST_TIMESTAMP_TICKS = 10 * TICKS_PER_SECOND;
/** Pictures begin to arrive so much before they are decoded. */
const CLOCK_LEAD_TICKS = TICKS_PER_SECOND / 2;
/** An access unit delimiter that allows every kind of slice (ITU-T H.264 §7.3.2.4). */
const DELIMITER = Uint8Array.of(9, 0xf0);
const TIMESTAMP_OWNER = "com.apple.streaming.transportStreamTimestamp\0";

/** What is to come of the parts of a stream that can be encrypted: NAL units of pictures, frames of sound. */
export type Seal = (part: Uint8Array) => Uint8Array;

/**
 * Writes the H.264 pictures of a fragmented file as a transport stream: each fragment begins with PAT, PMT and its IDR. The index is that of
 * the new file, whose fragments can be cut apart anywhere between each other. With `seal` the stream is said to be encrypted. Throws MEDIA_MALFORMED,
 * ABORTED, and what the system throws.
 */
export async function writeTransportStream(
  { path, index }: IndexedFile,
  target: string,
  signal: AbortSignal,
  seal?: Seal,
): Promise<FragmentIndex> {
  return await rewrite({ path, index, target, signal }, (source, movie) => {
    const avcC = movie.tracks[0]?.sampleEntries[0]?.children.get("avcC");
    if (avcC === undefined) throw new ReelmillError("MEDIA_MALFORMED", "The pictures are not H.264 (avcC is missing).");
    const { lengthSizeBytes, spsNals, ppsNals } = parseAvcConfiguration(avcC);
    const writer = new TransportStreamWriter(seal !== undefined);
    const ticksOf = (ticks: number): number => timestampOf(ticks, index.timescale);
    return (samples, append) => {
      append(writer.tables());
      for (const [place, sample] of samples.entries()) {
        const isKey = place === 0;
        const nals = splitSample(readSample(source, sample), lengthSizeBytes);
        if (nals === undefined)
          throw new ReelmillError("MEDIA_MALFORMED", "A picture's NAL units do not add up to it.");
        const all = [DELIMITER, ...(isKey ? [...spsNals, ...ppsNals] : []), ...nals];
        const unit = [...annexBPieces(seal === undefined ? all : all.map(seal))];
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
  { path, index }: IndexedFile,
  target: string,
  signal: AbortSignal,
  seal?: Seal,
): Promise<FragmentIndex> {
  const starts = new Set(cutSegments(index, "single-file").map(({ fragments }) => fragments[0]?.startTicks));
  return await rewrite({ path, index, target, signal }, (source, movie) => {
    const esds = movie.tracks[0]?.sampleEntries[0]?.children.get("esds");
    const info = esds && parseElementaryStreamDescriptor(esds)?.decoderSpecificInfo;
    if (info === undefined) throw new ReelmillError("MEDIA_MALFORMED", "The sound is not AAC (esds is missing).");
    const config = parseAudioSpecificConfig(info);
    return (samples, append) => {
      const startTicks = samples[0]?.decodeTicks ?? 0;
      if (starts.has(startTicks)) append(segmentTag(timestampOf(startTicks, index.timescale), seal && info));
      for (const sample of samples) {
        const clear = readSample(source, sample);
        const frame = seal === undefined ? clear : seal(clear);
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
    const fragments = createFragmentTable();
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

/** An ID3v2.4 tag with the time stamp (RFC 8216bis §3.1.3) and, where frames are encrypted, with the configuration that they have. */
function segmentTag(ticks: number, encryptedConfig: Uint8Array | undefined): Uint8Array {
  const stamp = Buffer.alloc(8);
  stamp.writeBigUInt64BE(BigInt(ticks) & 0x1_ffff_ffffn);
  const frames = [privateFrame(TIMESTAMP_OWNER, stamp)];
  if (encryptedConfig !== undefined) {
    frames.push(privateFrame(AUDIO_DESCRIPTION_OWNER, audioSetupInformation(encryptedConfig)));
  }
  const body = Buffer.concat(frames);
  return Buffer.concat([Buffer.from("ID3"), Buffer.of(4, 0, 0, 0, 0, ...syncSafe(body.length)), body]);
}

function privateFrame(owner: string, content: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(owner, "latin1"), content]);
  return Buffer.concat([Buffer.from("PRIV"), Buffer.of(0, 0, ...syncSafe(body.length), 0, 0), body]);
}

/** The two lower bytes of a size of seven bits each (ID3v2.4 §6.2). */
function syncSafe(bytes: number): readonly [number, number] {
  return [bytes >> 7, bytes & 0x7f];
}
