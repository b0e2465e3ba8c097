import { canonicalLanguage } from "../../base/language-tag.ts";
import type { AudioStream, SubtitleStream } from "../../ffmpeg/manifest.ts";

/** What tracks are named by. */
type NamedTrack = Pick<AudioStream | SubtitleStream, "language" | "title">;

/** The track's language in BCP 47: `eng` is `en`. */
export function languageOf({ language }: NamedTrack): string {
  // Files may say anything; what is no language tag tells nothing.
  return (language === undefined ? undefined : canonicalLanguage(language)) ?? "und";
}

/** Names for people, each but once; `kind` stands for those that have none. */
export function uniqueLabels(tracks: readonly NamedTrack[], kind: string): readonly string[] {
  const taken = new Set<string>();
  return tracks.map((track, index) => {
    const named = quotable(track.title ?? "") || nameLanguage(languageOf(track)) || `${kind} ${index + 1}`;
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
  // Names have no place for extensions and private use, which Node refuses.
  const { baseName } = new Intl.Locale(language);
  if (baseName === "und") return "";
  return new Intl.DisplayNames([baseName], { type: "language", fallback: "none" }).of(baseName) ?? "";
}

/** A language as part of a folder's name. */
export function folderNameOf(language: string): string {
  return language.replaceAll(/[^a-zA-Z0-9-]/g, "");
}
