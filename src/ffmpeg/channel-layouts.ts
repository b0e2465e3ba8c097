import { formatCount } from "../base/units.ts";
import type { AudioStream } from "./manifest.ts";

/** What is known of a stream's channels; 0 channels and no layout: nothing. */
export type Channels = Pick<AudioStream, "channels"> & { readonly channelLayout?: string | undefined };

/** Layouts that sound is encoded in, by ffmpeg's names, and their channels. */
const CHANNELS_OF = {
  mono: 1,
  stereo: 2,
  "2.1": 3,
  "3.0": 3,
  quad: 4,
  "4.0": 4,
  "5.0": 5,
  "5.1": 6,
  "6.1": 7,
  "7.1": 8,
} as const;

/** A layout that sound is encoded in. */
export type Layout = keyof typeof CHANNELS_OF;

/** What ffmpeg takes a number of channels for that no layout is told of. It has none of others, and can mix none then. */
const USUAL_LAYOUTS: Readonly<Record<number, string>> = {
  1: "mono",
  2: "stereo",
  3: "2.1",
  4: "4.0",
  5: "5.0",
  6: "5.1",
  7: "6.1",
  8: "7.1",
  16: "hexadecagonal",
  24: "22.2",
};

/** What comes nearest to layouts that an encoder does not keep. Encoders that keep 4.0 or 2.1 are fed that. */
const NEAREST: Readonly<Record<string, Layout>> = {
  downmix: "stereo",
  "2.1": "stereo",
  "3.0(back)": "quad",
  "3.1": "5.1",
  "4.0": "5.0",
  "quad(side)": "quad",
  "4.1": "5.1",
  "5.0(side)": "5.0",
  "5.1(side)": "5.1",
  "6.0": "7.1",
  "6.0(front)": "5.0",
  hexagonal: "7.1",
  "6.1": "7.1",
  "6.1(back)": "7.1",
  "6.1(front)": "5.1",
  "7.0": "7.1",
  "7.0(front)": "5.0",
  "7.1(wide)": "5.1",
  "7.1(wide-side)": "5.1",
  octagonal: "7.1",
};

/** Of channels whose places nobody knows, by their number less 1. */
const IN_ORDER: readonly Layout[] = ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "7.1", "7.1"];

/** Whether ffmpeg knows where the channels sound, so that it can mix them; true where it is not told how many there are. */
export function canBeMixed({ channels, channelLayout }: Channels): boolean {
  if (channelLayout !== undefined) return !channelLayout.startsWith("ambisonic");
  return channels === 0 || channels in USUAL_LAYOUTS;
}

/** What sound is brought to before an encoder that keeps some layouts: the filter's words, and how many channels come out, null where nobody knows. */
export function chooseLayout(
  sound: Channels,
  kept: readonly Layout[],
): { readonly filter: string; readonly madeChannels: number | null } {
  const { channels, channelLayout } = sound;
  if (!canBeMixed(sound)) {
    const layout = IN_ORDER[Math.min(channels, IN_ORDER.length) - 1] ?? "mono";
    return { filter: takeFirst(layout, channels), madeChannels: CHANNELS_OF[layout] };
  }
  const source = channelLayout ?? USUAL_LAYOUTS[channels] ?? "";
  const layout = kept.find((name) => name === source) ?? NEAREST[source] ?? (channels > 8 ? "7.1" : undefined);
  // Of places that have no name together, ffmpeg takes the nearest of the list.
  if (layout === undefined) return { filter: `aformat=channel_layouts=${kept.join("|")}`, madeChannels: null };
  return { filter: `aformat=channel_layouts=${layout}`, madeChannels: CHANNELS_OF[layout] };
}

/** A filter that takes the first channels, as they are, for those of a layout; `channels` are there. */
export function takeFirst(layout: Layout, channels: number): string {
  const taken = Array.from({ length: Math.min(CHANNELS_OF[layout], channels) }, (_, index) => `c${index}=c${index}`);
  return `pan=${[layout, ...taken].join("|")}`;
}

/** How a sentence on a sound track's channels begins. */
export function nameChannels(position: number, { channels }: Channels): string {
  return `Sound track ${position} has ${formatCount(channels, "channel")}`;
}

/** The sentence on channels that cannot be mixed, of which so many come out. */
export function describeUnmixed(position: number, sound: Channels, madeChannels: number | null): string {
  return `${nameChannels(position, sound)}, and nobody knows where they sound, so that they cannot be mixed: the first ${madeChannels} come out.`;
}

/** A sentence on channels of which more or fewer come out; `position` is the track's among those of sound, from 0. */
export function describeChannels(position: number, sound: Channels, madeChannels: number | null): readonly string[] {
  const { channels } = sound;
  if (!canBeMixed(sound) && channels > IN_ORDER.length) return [describeUnmixed(position, sound, madeChannels)];
  if (channels === 0 || madeChannels === null || madeChannels === channels) return [];
  return [`${nameChannels(position, sound)}: ${madeChannels} come out.`];
}
