import type { PcmLayout } from "./pcm-layout.ts";
import { type IntegerSamples, readSamples } from "./read-samples.ts";

/** Frames that a score looks at: enough for hundreds of bits. */
const MAX_FRAMES = 256;
/** What digital silence is worth: zeros are as often filling as sound. */
const SILENCE_BITS = 16;
const PREDICTOR_COUNT = 5;

/**
 * Evidence in bits that `[startIndex, endIndex)` is PCM of this layout and alignment, rather than anything else: the
 * bits saved by coding the bytes as predicted samples (an adaptive Rice code over the best of five predictors per
 * channel), against the cheapest of a code for random bytes and a code for bytes of uneven frequency. Random and
 * compressed bytes score below 0, sound scores hundreds, digital (near) silence at least 16. Honest as evidence: random
 * bytes reach s bits with a chance of about 2^−s. Looks at 256 frames at most; fewer than 16 frames score 0.
 */
export function correlationScore(bytes: Uint8Array, startIndex: number, endIndex: number, layout: PcmLayout): number {
  const samples = readSamples(bytes, startIndex, Math.min(endIndex, bytes.length), layout, MAX_FRAMES);
  const score = scoreSamples(bytes, startIndex, samples, layout);
  return score < SILENCE_BITS && isNearSilence(samples) ? SILENCE_BITS : score;
}

/** The same without the allowance for silence, over at most `maxFrames` frames: silence of any layout scores about 0. */
export function predictionScore(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  layout: PcmLayout,
  maxFrames: number,
): number {
  const samples = readSamples(bytes, startIndex, Math.min(endIndex, bytes.length), layout, maxFrames);
  return scoreSamples(bytes, startIndex, samples, layout);
}

function scoreSamples(bytes: Uint8Array, startIndex: number, samples: IntegerSamples, layout: PcmLayout): number {
  const frames = samples.values.length / layout.channelCount;
  if (frames < 16) return 0;
  const randomBits = 8 * frames * layout.bytesPerFrame;
  let codeBits = 0;
  for (const lost of samples.lostBits) codeBits += lost;
  for (let channel = 0; channel < layout.channelCount; channel++) codeBits += channelBits(samples, channel, layout);
  if (codeBits >= randomBits) return randomBits - codeBits;
  return Math.min(randomBits, unevenBits(bytes, startIndex, startIndex + frames * layout.bytesPerFrame)) - codeBits;
}

/** Whether three samples of four are 0 or next to it. */
function isNearSilence({ values, lostBits }: IntegerSamples): boolean {
  let quiet = 0;
  values.forEach((value, i) => {
    if (value >= -1 && value <= 1 && (lostBits[i] as number) <= 2) quiet++;
  });
  return values.length >= 16 && quiet * 4 >= values.length * 3;
}

/** Bits of one channel with its best predictor, and of naming the predictor. */
function channelBits(samples: IntegerSamples, channel: number, layout: PcmLayout): number {
  let best = Number.POSITIVE_INFINITY;
  for (let predictor = 0; predictor < PREDICTOR_COUNT; predictor++) {
    if (predictor === 4 && channel === 0) continue;
    best = Math.min(best, riceBits(samples.values, channel, layout, predictor));
  }
  return best + Math.log2(PREDICTOR_COUNT);
}

/** Adaptive Rice code: its parameter follows the running mean of the residuals. Runs of zeros cost next to nothing. */
function riceBits(values: Float64Array, channel: number, layout: PcmLayout, predictor: number): number {
  const step = layout.channelCount;
  const capBits = layout.bitsPerSample + 8;
  let parameter = Math.max(0, Math.min(20, layout.bitsPerSample - 6));
  let scale = 2 ** parameter;
  let mean = scale;
  let bits = 0;
  for (let i = channel; i < values.length; i += step) {
    const residual = (values[i] as number) - predict(values, i, step, predictor);
    const size = residual < 0 ? -2 * residual - 1 : 2 * residual;
    if (mean < 0.5) bits += size === 0 ? mean + 0.02 : Math.min(capBits, size + 3);
    else bits += Math.min(capBits, Math.floor(size / scale) + 1 + parameter);
    mean += (Math.min(size, scale * 64) * 0.7 - mean) / 12;
    while (mean >= 2 * scale) {
      scale *= 2;
      parameter++;
    }
    while (parameter > 0 && mean < scale) {
      scale /= 2;
      parameter--;
    }
  }
  return bits;
}

/** Polynomials of order 0–3 through the samples before, or (4) the same moment of the channel before. */
function predict(values: Float64Array, i: number, step: number, predictor: number): number {
  if (predictor === 4) return values[i - 1] as number;
  const order = Math.min(predictor, Math.floor(i / step));
  const a = order > 0 ? (values[i - step] as number) : 0;
  if (order <= 1) return a;
  const b = values[i - 2 * step] as number;
  return order === 2 ? 2 * a - b : 3 * a - 3 * b + (values[i - 3 * step] as number);
}

/** Bits of a code that knows nothing of samples but follows the frequencies of bytes. */
function unevenBits(bytes: Uint8Array, startIndex: number, endIndex: number): number {
  const counts = new Uint16Array(256);
  const prior = 0.05;
  let bits = 0;
  let total = 256 * prior;
  for (let i = startIndex; i < endIndex; i++) {
    const byte = bytes[i] as number;
    const count = counts[byte] as number;
    bits += Math.log2(total / (count + prior));
    counts[byte] = count + 1;
    total++;
  }
  return bits + 1;
}
