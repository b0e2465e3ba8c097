import { predictionScore } from "./correlation-score.ts";
import { interleavedLayout, type PcmLayout } from "./pcm-layout.ts";

/** What `guessPcmLayout` found. */
export interface PcmGuess {
  readonly layout: PcmLayout;
  /** Bytes before the first whole sample: 0 to the sample's width − 1. Which channel is the first does not show. */
  readonly offsetBytes: number;
  /** As from `correlationScore`, but over 4 KiB and with silence worth 0. */
  readonly scoreBits: number;
}

const CHANNEL_COUNTS = [1, 2, 4, 6, 8] as const;
/** Below this, random bytes among the hundred trials might have won. */
const MIN_SCORE_BITS = 64;
/** Channels that are copies of each other are predicted a little better by any multiple of them. */
const MORE_CHANNELS_FACTOR = 1.03;
/** Noise in one order of bytes is noise in the other too, one byte on: the bytes given rather start with a sample. */
const SHIFTED_FACTOR = 0.95;
/** All trials are scored on as many bytes, else wide layouts would win by looking at more. */
const TRIAL_BYTES = 4096;

/**
 * Guesses the layout of PCM without any reference: every width, order of bytes and number of channels is tried, and
 * the one that predicts the samples best wins. Undefined where nothing predicts them, digital silence included.
 */
export function guessPcmLayout(bytes: Uint8Array): PcmGuess | undefined {
  const trialBytes = Math.min(TRIAL_BYTES, bytes.length - 8);
  let best: PcmGuess | undefined;
  let bestWorth = 0;
  for (const layout of candidateLayouts()) {
    const maxFrames = Math.floor(trialBytes / layout.bytesPerFrame);
    for (let offsetBytes = 0; offsetBytes < layout.bitsPerSample / 8; offsetBytes++) {
      const scoreBits = predictionScore(bytes, offsetBytes, offsetBytes + trialBytes, layout, maxFrames);
      const worth = scoreBits * (offsetBytes === 0 ? 1 : SHIFTED_FACTOR) * MORE_CHANNELS_FACTOR ** -layout.channelCount;
      if (scoreBits > MIN_SCORE_BITS && worth > bestWorth) {
        best = { layout, offsetBytes, scoreBits };
        bestWorth = worth;
      }
    }
  }
  return best === undefined ? undefined : asFloat(bytes, trialBytes, best);
}

/**
 * Singles are smooth as integers too, often smoother. Their first byte gives them away: sign and exponent of numbers
 * between 2^−31 and 2, of both signs.
 */
function asFloat(bytes: Uint8Array, trialBytes: number, guess: PcmGuess): PcmGuess {
  const { bitsPerSample, isFloat, isBigEndian, channelCount } = guess.layout;
  if (bitsPerSample !== 32 || isFloat) return guess;
  let samples = 0;
  let positive = 0;
  let negative = 0;
  for (let index = guess.offsetBytes; index + 4 <= trialBytes; index += 4) {
    const first = bytes[isBigEndian ? index : index + 3] ?? 0;
    samples++;
    if (first >= 0x30 && first <= 0x3f) positive++;
    if (first >= 0xb0 && first <= 0xbf) negative++;
  }
  if (positive + negative < samples * 0.9 || Math.min(positive, negative) < samples / 50) return guess;
  return { ...guess, layout: interleavedLayout(32, channelCount, { isFloat: true, isBigEndian }) };
}

function candidateLayouts(): PcmLayout[] {
  const layouts: PcmLayout[] = [];
  for (const channelCount of CHANNEL_COUNTS) {
    for (const isBigEndian of [false, true]) {
      for (const bits of [16, 24, 32]) layouts.push(interleavedLayout(bits, channelCount, { isBigEndian }));
      for (const bits of [32, 64]) layouts.push(interleavedLayout(bits, channelCount, { isBigEndian, isFloat: true }));
    }
    layouts.push(interleavedLayout(8, channelCount, { isSigned: true }));
    layouts.push(interleavedLayout(8, channelCount, { isSigned: false }));
    layouts.push(interleavedLayout(8, channelCount, {}, "ulaw"));
    layouts.push(interleavedLayout(8, channelCount, {}, "alaw"));
  }
  return layouts;
}
