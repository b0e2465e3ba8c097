import { encoderNamed } from "../../ffmpeg/encoder-choice.ts";
import type { EncoderWish } from "../../ffmpeg/encoder-wish.ts";
import type { PlannedEncoder } from "./conversion.ts";

/** An encoder that was found for a wish, and the one that takes over from it, bounded to so many threads. Throws as `encoderNamed`. */
export function planEncoder(
  name: string,
  wish: EncoderWish,
  threads: number,
  fallbackName: string | null,
): PlannedEncoder {
  const { hardware, settings, globalArguments, filter, arguments: options, threadArguments } = encoderNamed(name, wish);
  return {
    name,
    hardware,
    settings: `${settings.scale} ${settings.quality}, preset ${settings.preset}${wish.hasScreenTools ? ", tools for screens" : ""}`,
    globalArguments,
    filter,
    arguments: [...options, ...threadArguments(threads)],
    wish,
    threads,
    fallback: fallbackName === null ? null : planEncoder(fallbackName, wish, threads, null),
  };
}

/** The same encoder, and the one that takes over from it, at another quality. Throws as `planEncoder`. */
export function atQuality({ name, wish, threads, fallback }: PlannedEncoder, quality: number): PlannedEncoder {
  return planEncoder(name, { ...wish, quality }, threads, fallback?.name ?? null);
}

/** The same encoder, and the one that takes over from it, with another number of threads (≥ 1). Throws as `planEncoder`. */
export function withThreads({ name, wish, fallback }: PlannedEncoder, threads: number): PlannedEncoder {
  return planEncoder(name, wish, threads, fallback?.name ?? null);
}
