import { canBeMixed, describeUnmixed, nameChannels } from "../../ffmpeg/channel-layouts.ts";
import type { AudioStream } from "../../ffmpeg/manifest.ts";
import type { SoundPlan } from "./packaging.ts";
import { folderNameOf, languageOf, uniqueLabels } from "./track-names.ts";

/** kbit/s of each kind of group. */
const GROUPS = {
  stereo: { channels: 2, kilobitsPerSecond: 128 },
  surround: { channels: 6, kilobitsPerSecond: 384 },
  /** Of several languages each counts towards a variant's BANDWIDTH: two of 128 kbit/s would be too much for cellular networks. */
  small: { channels: 2, kilobitsPerSecond: 64 },
} as const;

/** The id of a group of renditions. */
export type SoundGroup = keyof typeof GROUPS;

/**
 * How each sound track is encoded: as stereo, as 5.1 besides where the source has as much, and small where there are several, for the
 * variant of sound alone. Of channels that cannot be mixed, the first two become stereo.
 */
export function planSounds(tracks: readonly AudioStream[]): readonly SoundPlan[] {
  const heard = tracks.filter(({ channels }) => channels > 0);
  const first = Math.max(
    0,
    heard.findIndex(({ isDefault }) => isDefault),
  );
  const labels = uniqueLabels(heard, "Sound");
  return heard.flatMap((track, index) => {
    const kinds: SoundGroup[] = ["stereo"];
    const isMixed = canBeMixed(track);
    if (track.channels >= 6 && isMixed) kinds.push("surround");
    if (heard.length > 1) kinds.push("small");
    const language = languageOf(track);
    return kinds.map((groupId) => ({
      name: `audio-${index + 1}-${folderNameOf(language)}-${groupId}`,
      groupId,
      streamIndex: track.index,
      position: track.position,
      ...GROUPS[groupId],
      isMono: track.channels === 1,
      unmixedChannels: isMixed ? null : track.channels,
      language,
      label: labels[index] as string,
      isDefault: index === first,
      purposes: track.purposes,
    }));
  });
}

/** More channels than this are more than 5.1 is usually made of: that only stereo and 5.1 come out is worth a word. */
const USUAL_CHANNELS = 8;

/** Sentences on tracks of which more is lost than packages lose of any: stereo of all tracks and 5.1 are what is promised. */
export function describeSounds(tracks: readonly AudioStream[]): readonly string[] {
  return tracks.flatMap((track) => {
    const { position, channels } = track;
    if (!canBeMixed(track) && channels > 2) return [describeUnmixed(position, track, 2)];
    return channels > USUAL_CHANNELS ? [`${nameChannels(position, track)}: stereo and 5.1 come out.`] : [];
  });
}
