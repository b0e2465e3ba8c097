import { formatCount } from "../../base/units.ts";
import { samplingRateOfIndex, serializeAudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import { parseAc3Syncframe, parseEac3Syncframe, SYNCFRAME_HEADER_BYTES } from "../../media/ac3/syncframe.ts";
import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import {
  createAacEntry,
  createPcmEntry,
  createSoundEntry,
  type NewPcmEntry,
} from "../../media/isobmff/create-entry.ts";
import type { SampleEntry } from "../../media/isobmff/movie.ts";
import { parseMpegAudioHeader } from "../../media/mp3/mpeg-audio-header.ts";
import { guessPcmLayout } from "../../media/pcm/guess-layout.ts";
import type { PcmLayout } from "../../media/pcm/pcm-layout.ts";
import { type Candidate, CUT, type PacketParser } from "../codecs/packet-parser.ts";
import { createParser } from "../codecs/registry.ts";
import type { Extent } from "../extents.ts";
import { type Share, shares } from "../learn/shares.ts";
import { createProfile, type GuessedTrack } from "./profile.ts";

/** Sound that was recognised, as messages call it: `AAC sound`. */
export interface GuessedSound {
  readonly name: string;
  readonly track: GuessedTrack;
}

/** A kind of sound to try. */
interface Attempt {
  readonly name: string;
  readonly entry: SampleEntry;
  readonly rateHz: number;
  readonly ticks: number;
}

/** Frames that must chain where no end of a region confirms them. */
const CHAINED_FRAMES = 16;
const MAX_CHAINED_FRAMES = 64;
/** Sound nobody states the rate of is taken for what video has. */
const PCM_RATE_HZ = 48_000;
const PCM_LOOK_BYTES = 64 * 1024;

/**
 * The sound that lies in `regions`: stretches between packets of video, or one whose end is not known (`isOpen`).
 * Coded sound is recognised by frames that chain from end to end, PCM by how well its samples predict each other.
 */
export function findSound(window: ByteWindow, regions: readonly Extent[], isOpen: boolean): GuessedSound | undefined {
  const first = regions[0];
  if (first === undefined) return undefined;
  const coded = bestAttempt(window, regions, [...headedAttempts(window, first), ...aacAttempts()], isOpen);
  if (coded) return coded;
  return isOpen ? undefined : findPcm(window, regions);
}

function bestAttempt(
  window: ByteWindow,
  regions: readonly Extent[],
  attempts: readonly Attempt[],
  isOpen: boolean,
): GuessedSound | undefined {
  let best: { found: GuessedSound; frames: number } | undefined;
  for (const attempt of attempts) {
    const track = codedTrack(attempt, []);
    const chain = chainFrames(window, regions, track);
    const isProven =
      chain.frames >= CHAINED_FRAMES || (!isOpen && chain.wholeRegions >= 2 && chain.wholeRegions === regions.length);
    if (!isProven || chain.frames <= (best?.frames ?? 0)) continue;
    best = { found: { name: attempt.name, track: { ...track, runSamples: shares(chain.runs) } }, frames: chain.frames };
  }
  return best?.found;
}

function codedTrack({ entry, rateHz, ticks }: Attempt, runSamples: readonly Share[]): GuessedTrack {
  return { kind: "audio", entry, timescale: rateHz, ticks, constantSizeBytes: 0, delayTicks: 0, runSamples };
}

/** Sound whose frames begin with a header that says all. */
function headedAttempts(window: ByteWindow, { startOffset }: Extent): Attempt[] {
  if (window.load(startOffset, SYNCFRAME_HEADER_BYTES) < SYNCFRAME_HEADER_BYTES) return [];
  const index = startOffset - window.baseOffset;
  const { bytes } = window;
  const ac3 = parseAc3Syncframe(bytes, index);
  if (ac3) {
    const { fscod, bsid, bsmod, acmod, isLfeOn, frmsizecod, sampleRateHz } = ac3;
    const code =
      (fscod << 22) | (bsid << 17) | (bsmod << 14) | (acmod << 11) | (Number(isLfeOn) << 10) | ((frmsizecod >> 1) << 5);
    const children = [{ type: "dac3", payload: Uint8Array.of(code >> 16, code >> 8, code) }];
    const entry = createSoundEntry({
      format: "ac-3",
      channelCount: channelsOf(acmod, isLfeOn),
      sampleRateHz,
      children,
    });
    return [{ name: "AC-3 sound", entry, rateHz: sampleRateHz, ticks: 1536 }];
  }
  const eac3 = parseEac3Syncframe(bytes, index);
  if (eac3) {
    const { fscod, bsid, acmod, isLfeOn, sampleRateHz, blockCount, sizeBytes } = eac3;
    const kbps = Math.round((sizeBytes * 8 * sampleRateHz) / (blockCount * 256 * 1000));
    const rate = Math.min(kbps, 0x1fff) << 3;
    const payload = Uint8Array.of(rate >> 8, rate, (fscod << 6) | (bsid << 1), (acmod << 1) | Number(isLfeOn), 0);
    const children = [{ type: "dec3", payload }];
    const entry = createSoundEntry({
      format: "ec-3",
      channelCount: channelsOf(acmod, isLfeOn),
      sampleRateHz,
      children,
    });
    return [{ name: "E-AC-3 sound", entry, rateHz: sampleRateHz, ticks: blockCount * 256 }];
  }
  const word = new DataView(bytes.buffer, bytes.byteOffset + index, 4).getUint32(0);
  const mp3 = parseMpegAudioHeader(word);
  if (mp3 === undefined || mp3.frameSizeBytes === 0) return [];
  const { channelCount, sampleRateHz, samplesPerFrame } = mp3;
  const entry = createSoundEntry({ format: ".mp3", channelCount, sampleRateHz });
  return [{ name: "MP3 sound", entry, rateHz: sampleRateHz, ticks: samplesPerFrame }];
}

/** acmod's full-range channels (ETSI TS 102 366 Table 4.3). */
function channelsOf(acmod: number, isLfeOn: boolean): number {
  return ([2, 1, 2, 3, 3, 4, 4, 5][acmod] ?? 2) + Number(isLfeOn);
}

/** Rates by how usual they are: ones that share all tables cannot be told apart, and the first wins. */
const AAC_RATE_INDEXES = [3, 4, 5, 6, 7, 8, 11];
const AAC_CHANNELS = [2, 1, 6];
const AAC_LC = 2;

function aacAttempts(): Attempt[] {
  return AAC_RATE_INDEXES.flatMap((rateIndex) =>
    AAC_CHANNELS.map((channelConfiguration): Attempt => {
      const rateHz = samplingRateOfIndex(rateIndex) ?? PCM_RATE_HZ;
      const config = serializeAudioSpecificConfig({
        objectType: AAC_LC,
        rateIndex,
        channelConfiguration,
        frameLengthSamples: 1024,
      });
      return { name: "AAC sound", entry: createAacEntry(config, channelConfiguration, rateHz), rateHz, ticks: 1024 };
    }),
  );
}

interface Chain {
  readonly frames: number;
  /** Regions that frames fill from end to end. */
  readonly wholeRegions: number;
  readonly runs: readonly number[];
}

/**
 * Coded sound that starts at `place.startOffset` right behind a picture, recognised by its frames and the pictures that
 * `video` finds between them chaining on and on. For video whose pictures do not stand out among other bytes.
 */
export function findSoundAmongPictures(
  window: ByteWindow,
  place: Extent,
  video: PacketParser,
): GuessedSound | undefined {
  let best: { found: GuessedSound; frames: number } | undefined;
  for (const attempt of [...headedAttempts(window, place), ...aacAttempts()]) {
    const track = codedTrack(attempt, []);
    const runs = chainWithPictures(window, place, track, video);
    const frames = runs.reduce((sum, run) => sum + run, 0);
    if (frames < CHAINED_FRAMES || frames <= (best?.frames ?? 0)) continue;
    best = { found: { name: attempt.name, track: { ...track, runSamples: shares(runs) } }, frames };
  }
  return best?.found;
}

/** Frames in each run between pictures, from `startOffset` on until neither fits. */
function chainWithPictures(
  window: ByteWindow,
  { startOffset, endOffset }: Extent,
  track: GuessedTrack,
  video: PacketParser,
): number[] {
  const sound = parserOf(track);
  const runs: number[] = [];
  let [offset, run, frames] = [startOffset, 0, 0];
  while (sound && offset < endOffset && frames < MAX_CHAINED_FRAMES) {
    const picture = sizedAt(video, window, offset, endOffset);
    const frame = sizedAt(sound, window, offset, endOffset);
    if (frame && frame.evidenceBits >= (picture?.evidenceBits ?? 0)) {
      offset += frame.sizeBytes;
      run++;
      frames++;
      continue;
    }
    if (run > 0) runs.push(run);
    run = 0;
    if (!picture) break;
    offset += picture.sizeBytes;
  }
  return run > 0 ? [...runs, run] : runs;
}

function sizedAt(parser: PacketParser, window: ByteWindow, offset: number, limit: number): Candidate | undefined {
  const candidate = parser.probe(window, offset, limit);
  return candidate === CUT ? undefined : candidate;
}

function parserOf(track: GuessedTrack): PacketParser | undefined {
  const own = createProfile([track]).tracks[0];
  const parser = own && createParser(own);
  return parser?.isSelfDelimiting ? parser : undefined;
}

/** Walks frames through the regions until one does not fit or enough have been seen. */
function chainFrames(window: ByteWindow, regions: readonly Extent[], track: GuessedTrack): Chain {
  const parser = parserOf(track);
  let [frames, wholeRegions] = [0, 0];
  const runs: number[] = [];
  if (parser === undefined) return { frames, wholeRegions, runs };
  for (const { startOffset, endOffset } of regions) {
    let offset = startOffset;
    let run = 0;
    while (offset < endOffset && frames + run < MAX_CHAINED_FRAMES) {
      const candidate = parser.probe(window, offset, endOffset);
      if (candidate === undefined || candidate === CUT) break;
      offset += candidate.sizeBytes;
      run++;
    }
    frames += run;
    if (frames >= MAX_CHAINED_FRAMES) break;
    if (offset < endOffset) break;
    wholeRegions++;
    runs.push(run);
  }
  return { frames, wholeRegions, runs };
}

function findPcm(window: ByteWindow, regions: readonly Extent[]): GuessedSound | undefined {
  const largest = regions.reduce((a, b) => (b.endOffset - b.startOffset > a.endOffset - a.startOffset ? b : a));
  const length = Math.min(PCM_LOOK_BYTES, largest.endOffset - largest.startOffset);
  const visible = Math.min(length, window.load(largest.startOffset, length));
  const index = largest.startOffset - window.baseOffset;
  const guess = guessPcmLayout(window.bytes.slice(index, index + visible));
  if (guess === undefined || guess.offsetBytes !== 0) return undefined;
  const { layout } = guess;
  const frameBytes = layout.bytesPerFrame;
  const runs = regions
    .map(({ startOffset, endOffset }) => endOffset - startOffset)
    .filter((bytes) => bytes % frameBytes === 0);
  if (runs.length * 2 < regions.length) return undefined;
  return {
    name: `PCM sound of ${formatCount(layout.channelCount, "channel")} with ${layout.bitsPerSample} bits`,
    track: {
      kind: "audio",
      entry: createPcmEntry(pcmEntry(layout)),
      timescale: PCM_RATE_HZ,
      ticks: 1,
      constantSizeBytes: frameBytes,
      delayTicks: 0,
      runSamples: shares(runs.map((bytes) => bytes / frameBytes)),
    },
  };
}

function pcmEntry({ bitsPerSample, channelCount, isFloat, isBigEndian, isSigned, companding }: PcmLayout): NewPcmEntry {
  const shared = {
    channelCount,
    sampleRateHz: PCM_RATE_HZ,
    sampleSizeBits: bitsPerSample,
    isLittleEndian: !isBigEndian,
  };
  if (companding) return { ...shared, format: companding };
  if (isFloat) return { ...shared, format: bitsPerSample === 64 ? "fl64" : "fl32" };
  if (bitsPerSample === 24) return { ...shared, format: "in24" };
  if (bitsPerSample === 32) return { ...shared, format: "in32" };
  if (bitsPerSample === 8) return { ...shared, format: isSigned ? "twos" : "raw " };
  return { ...shared, format: isBigEndian ? "twos" : "sowt" };
}
