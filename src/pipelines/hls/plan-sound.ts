import type { AudioStream } from "../../ffmpeg/manifest.ts";
import type { SoundPlan } from "./packaging.ts";

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
 * variant of sound alone.
 */
export function planSounds(tracks: readonly AudioStream[]): readonly SoundPlan[] {
  const heard = tracks.filter(({ channels }) => channels > 0);
  const first = Math.max(
    0,
    heard.findIndex(({ isDefault }) => isDefault),
  );
  const labels = uniqueLabels(heard);
  return heard.flatMap((track, index) => {
    const kinds: SoundGroup[] = ["stereo"];
    if (track.channels >= 6) kinds.push("surround");
    if (heard.length > 1) kinds.push("small");
    const language = languageOf(track);
    return kinds.map((groupId) => ({
      name: `audio-${index + 1}-${language.replaceAll(/[^a-zA-Z0-9-]/g, "")}-${groupId}`,
      groupId,
      streamIndex: track.index,
      ...GROUPS[groupId],
      language,
      label: labels[index] as string,
      isDefault: index === first,
    }));
  });
}

/** The track's language in BCP 47: `eng` is `en`. */
function languageOf({ language }: AudioStream): string {
  if (language === undefined) return "und";
  try {
    return Intl.getCanonicalLocales(language)[0] ?? "und";
  } catch {
    // Files may say anything; what is no language tag tells nothing.
    return "und";
  }
}

function uniqueLabels(tracks: readonly AudioStream[]): readonly string[] {
  const taken = new Set<string>();
  return tracks.map((track, index) => {
    const named = quotable(track.title ?? "") || nameLanguage(languageOf(track)) || `Sound ${index + 1}`;
    let label = named;
    for (let number = 2; taken.has(label); number++) label = `${named} (${number})`;
    taken.add(label);
    return label;
  });
}

/** Quotation marks and line ends cannot stand in a playlist's quoted strings (RFC 8216bis §4.2). */
function quotable(text: string): string {
  return text
    .replaceAll(/["\p{Cc}\p{Zl}\p{Zp}]/gu, " ")
    .trim()
    .slice(0, 80);
}

/** A language in itself: `Deutsch`. Empty where it has no name. */
function nameLanguage(language: string): string {
  if (language === "und") return "";
  return new Intl.DisplayNames([language], { type: "language", fallback: "none" }).of(language) ?? "";
}
