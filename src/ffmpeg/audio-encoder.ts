import { assertNever } from "../base/assert-never.ts";
import { ReelmillError } from "../base/errors.ts";
import { formatCount } from "../base/units.ts";
import { chooseLayout, type Layout } from "./channel-layouts.ts";

/** A codec that sound can be converted to. */
export type AudioCodec = "aac" | "opus";

/** How sound is to be encoded. */
export interface AudioWish {
  readonly codec: AudioCodec;
  /** Of all channels together, in kbit/s, ≥ 8, at most 256 for each channel; default 128. */
  readonly bitrateKbps?: number | undefined;
  /** Of the source; 0 where it does not tell. */
  readonly channels: number;
  /** Where they sound, in ffmpeg's words; undefined where the source does not tell. */
  readonly channelLayout?: string | undefined;
}

/** What an encoder of sound is given. */
export interface AudioEncoding {
  /** `-c:a …` and all its options. */
  readonly arguments: readonly string[];
  /** Filter to stand at the end of the sound's filters: sample rate and layouts that the encoder takes. */
  readonly filter: string;
  /** All channels together. */
  readonly bitrateKbps: number;
  /** How many channels come out; null where that is known only when the source is decoded. */
  readonly madeChannels: number | null;
}

const DEFAULT_BITRATE_KBPS = 128;
const MIN_BITRATE_KBPS = 8;
/** libopus refuses more; AAC gains nothing by it. */
const MAX_BITRATE_KBPS_PER_CHANNEL = 256;

/**
 * The layouts of Opus in Ogg, WebM and MP4 (RFC 7845 §5.1.1.2). libopus refuses others, 5.1 with side speakers among them, the
 * usual one of AC-3. It knows 48 kHz and its divisors alone.
 */
const OPUS_LAYOUTS: readonly Layout[] = ["7.1", "6.1", "5.1", "5.0", "quad", "3.0", "stereo", "mono"];

/**
 * Layouts that come back from ffmpeg's AAC encoder as they went in. Of others, 5.1 with side speakers among them, decoders learn the
 * number of channels alone.
 */
const AAC_LAYOUTS: readonly Layout[] = ["7.1", "5.1", "5.0", "quad", "4.0", "3.0", "2.1", "stereo", "mono"];

function resolveBitrate(bitrateKbps: number, channels: number): number {
  const last = MAX_BITRATE_KBPS_PER_CHANNEL * channels;
  if (Number.isInteger(bitrateKbps) && bitrateKbps >= MIN_BITRATE_KBPS && bitrateKbps <= last) return bitrateKbps;
  const range = `a whole number from ${MIN_BITRATE_KBPS} to ${last} (kbit/s) for ${formatCount(channels, "channel")}`;
  throw new ReelmillError("PARAMS_INVALID", `audioBitrate is ${bitrateKbps}; it is ${range}.`);
}

/** How ffmpeg is told to encode sound. Throws PARAMS_INVALID when the bitrate is out of range. */
export function audioArguments(wish: AudioWish): AudioEncoding {
  const { codec, bitrateKbps: wished = DEFAULT_BITRATE_KBPS, channels } = wish;
  const { filter, madeChannels } = chooseLayout(wish, codec === "aac" ? AAC_LAYOUTS : OPUS_LAYOUTS);
  const bitrateKbps = resolveBitrate(wished, Math.max(1, madeChannels ?? channels));
  const bitrate = ["-b:a", `${bitrateKbps}k`];
  switch (codec) {
    case "aac":
      return { arguments: ["-c:a", "aac", ...bitrate], filter, bitrateKbps, madeChannels };
    case "opus": {
      const atRate = `${filter},aformat=sample_rates=48000`;
      return { arguments: ["-c:a", "libopus", ...bitrate], filter: atRate, bitrateKbps, madeChannels };
    }
    default:
      return assertNever(codec);
  }
}
