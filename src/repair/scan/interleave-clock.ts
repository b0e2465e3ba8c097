import type { Candidate } from "../codecs/packet-parser.ts";
import type { Range } from "../learn/profile.ts";
import { type Edge, partsOf, type RunBits } from "./edge.ts";

/** How the muxer of a recording takes turns between pictures of constant rate and sound. */
export interface InterleaveTerms {
  /** The family of the first video track. */
  readonly video: number;
  /** Duration of each of its packets. */
  readonly pictureSeconds: number;
  readonly sounds: readonly SoundTerms[];
}

/** A family of sound whose packets tell their duration. */
export interface SoundTerms {
  readonly family: number;
  readonly sampleRateHz: number;
  /** Its clock − the video's in seconds where a picture's turn comes. */
  readonly lag: Range;
}

/** Seconds of media so far, by family. */
export type Clocks = readonly number[];

/** All that taking packets changes: what taking them back restores. */
export interface ClockState {
  readonly clocks: Clocks;
  /** Lags at the pictures taken last, by sound. */
  readonly observed: readonly (readonly number[])[];
}

/** What it costs a picture to come a whole packet of sound too early or too late. */
const MOST_BITS = 8;
/** So many pictures tell how far this recording's clocks lie apart; the latest of them count. */
const MIN_OBSERVED = 6;
const MAX_OBSERVED = 15;

/**
 * The clocks of the packets found. A muxer writes a picture when the sound has come as far as it: how the clocks stand
 * tells how many packets of sound lie between two pictures, where their own bytes say little.
 */
export class InterleaveClock {
  readonly #terms: InterleaveTerms;
  #clocks: Clocks = [];
  #observed: ClockState["observed"];
  /** Before any gap, the clocks stand as they did in the reference. */
  #isWhole = true;

  constructor(terms: InterleaveTerms) {
    this.#terms = terms;
    this.#observed = terms.sounds.map(() => []);
  }

  /** After the packets taken. */
  get clocks(): Clocks {
    return this.#clocks;
  }

  /** After the packets taken. */
  get state(): ClockState {
    return { clocks: this.#clocks, observed: this.#observed };
  }

  /** Takes packets back: the clocks, and what they tell of the recording, stand as they did before them. */
  restore({ clocks, observed }: ClockState): void {
    this.#clocks = clocks;
    this.#observed = observed;
  }

  /** Packets were taken. */
  take(part: Edge): void {
    if (part.family === this.#terms.video) {
      this.#observed = this.#terms.sounds.map(({ family }, sound) => {
        const lag = this.#lag(this.#clocks, family);
        return [...(this.#observed[sound] ?? []), lag].slice(-MAX_OBSERVED);
      });
    }
    this.#clocks = this.#advance(this.#clocks, part);
  }

  /** Bytes were lost: how the clocks stand is not known. */
  reset(): void {
    this.#isWhole = false;
    this.#observed = this.#terms.sounds.map(() => []);
  }

  /** The clocks after a step, and what their state before speaks against it, in bits up to 0. */
  follow(clocks: Clocks, edge: Edge): { readonly clocks: Clocks; readonly bits: number } {
    let now = clocks;
    let bits = 0;
    for (const part of partsOf(edge)) {
      if (part.family === this.#terms.video) bits += this.#turnBits(now);
      now = this.#advance(now, part);
    }
    return { clocks: now, bits };
  }

  /** What the clocks say about the length of a run of sound that stands behind one picture and before the next. */
  runBits(clocks: Clocks): RunBits {
    return (before, family, durationSamples) => {
      const sound = this.#terms.sounds.find((one) => one.family === family);
      if (before !== this.#terms.video || sound === undefined) return 0;
      const next = [...clocks];
      next[before] = (next[before] ?? 0) + this.#terms.pictureSeconds;
      next[family] = (next[family] ?? 0) + durationSamples / sound.sampleRateHz;
      return this.#turnBits(next);
    };
  }

  /** Whether it is a picture's turn. */
  #turnBits(clocks: Clocks): number {
    let bits = 0;
    this.#terms.sounds.forEach(({ family, lag }, sound) => {
      const shift = this.#shift(sound, lag);
      if (shift === undefined) return;
      const at = this.#lag(clocks, family) - shift;
      const excess = Math.max(0, lag.low - at, at - lag.high);
      bits -= MOST_BITS * Math.min(1, excess / this.#terms.pictureSeconds);
    });
    return bits;
  }

  /** How much farther apart the clocks stand than in the reference; undefined where that is not known. */
  #shift(sound: number, { median }: Range): number | undefined {
    const lags = [...(this.#observed[sound] ?? [])].sort((a, b) => a - b);
    if (lags.length >= MIN_OBSERVED) return (lags[lags.length >> 1] as number) - median;
    return this.#isWhole ? 0 : undefined;
  }

  #lag(clocks: Clocks, family: number): number {
    return (clocks[family] ?? 0) - (clocks[this.#terms.video] ?? 0);
  }

  #advance(clocks: Clocks, { family, packets }: Edge): Clocks {
    const seconds = this.#secondsOf(family, packets);
    if (seconds === 0) return clocks;
    const next = [...clocks];
    next[family] = (next[family] ?? 0) + seconds;
    return next;
  }

  #secondsOf(family: number, packets: readonly Candidate[]): number {
    if (family === this.#terms.video) return packets.length * this.#terms.pictureSeconds;
    const sound = this.#terms.sounds.find((one) => one.family === family);
    if (sound === undefined) return 0;
    return packets.reduce((sum, packet) => sum + packet.durationSamples, 0) / sound.sampleRateHz;
  }
}
