import { formatBitRate, showName } from "../../../ui/formats.ts";

/** What is chosen by the player itself, and what says that nothing is chosen. */
export const AUTO = "auto";
export const OFF = "off";

/** What can be chosen of one kind, and what is. */
export interface Choices {
  readonly options: readonly Choice[];
  /** Id of an option. */
  readonly chosen: string;
}

/** Something that can be chosen. */
export interface Choice {
  readonly id: string;
  readonly label: string;
}

/** A rung as hls.js tells it. */
export interface LevelFacts {
  readonly uri: string;
  readonly width: number;
  readonly height: number;
  /** In bit/s. */
  readonly bitrate: number;
}

/** A rendition as hls.js tells it. */
export interface TrackFacts {
  readonly name: string;
  readonly lang?: string;
}

/** Each rung but once, the largest first; ids are places in `levels`. */
export function qualityChoices(levels: readonly LevelFacts[]): readonly Choice[] {
  const own = levels.map((level, index) => ({ level, index }));
  // With surround sound, each rung is there twice.
  const once = own.filter(({ level, index }) => levels.findIndex(({ uri }) => uri === level.uri) === index);
  const falling = once.toSorted((one, other) => other.level.bitrate - one.level.bitrate);
  return [
    { id: AUTO, label: "Automatic" },
    ...falling.map(({ level, index }) => ({ id: String(index), label: nameLevel(level) })),
  ];
}

/** Such as `720p · 3.13 Mbit/s`. */
export function nameLevel({ width, height, bitrate }: LevelFacts): string {
  return `${Math.min(width, height)}p · ${formatBitRate(bitrate)}`;
}

/** Each rendition but once, whatever groups it is in; ids are places in `tracks`. */
export function trackChoices(tracks: readonly TrackFacts[]): readonly Choice[] {
  const isSame = (one: TrackFacts, other: TrackFacts): boolean => one.name === other.name && one.lang === other.lang;
  return tracks
    .map((track, index) => ({ track, index }))
    .filter(({ track, index }) => tracks.findIndex((one) => isSame(one, track)) === index)
    .map(({ track, index }) => ({ id: String(index), label: showName(track.name) }));
}
