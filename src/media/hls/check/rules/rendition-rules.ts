import { isLanguageTag } from "../../../../base/language-tag.ts";
import type { Rendition, RenditionType } from "../../playlist.ts";
import { allFacts, isUnread, nameStream, unreadReason, videoVariants } from "../figures.ts";
import type { Presentation } from "../presentation.ts";
import type { Rule } from "../rule.ts";

function nameRendition({ type, groupId, name }: Rendition): string {
  return `EXT-X-MEDIA ${type} "${groupId}" "${name}"`;
}

/** The renditions by type and group. */
function groupsOf({ renditions }: Presentation): ReadonlyMap<string, readonly Rendition[]> {
  const groups = new Map<string, Rendition[]>();
  for (const { rendition } of renditions) {
    const key = `${rendition.type}\n${rendition.groupId}`;
    groups.set(key, [...(groups.get(key) ?? []), rendition]);
  }
  return groups;
}

/** What is wrong with one rendition's attributes taken by themselves. */
function attributeFaults(rendition: Rendition): readonly string[] {
  const { type, uri, instreamId, isDefault, isAutoselect, isForced } = rendition;
  const faults: readonly (readonly [boolean, string])[] = [
    [isDefault && isAutoselect === false, "AUTOSELECT is NO; with DEFAULT=YES it must be YES"],
    [isForced && type !== "SUBTITLES", "FORCED is there; it is allowed for SUBTITLES alone"],
    [type === "SUBTITLES" && uri === undefined, "URI is missing; SUBTITLES must have one"],
    [type === "CLOSED-CAPTIONS" && uri !== undefined, "URI is there; CLOSED-CAPTIONS must not have one"],
    [type === "CLOSED-CAPTIONS" && instreamId === undefined, "INSTREAM-ID is missing; CLOSED-CAPTIONS must have one"],
  ];
  return faults.flatMap(([isBroken, message]) => (isBroken ? [message] : []));
}

/** Rules of renditions and their groups. */
export const RENDITION_RULES: readonly Rule[] = [
  {
    id: "group-exists",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2",
    title: "AUDIO, VIDEO, SUBTITLES and CLOSED-CAPTIONS of a stream name groups that EXT-X-MEDIA has.",
    check: (presentation, verdict) => {
      const groups = groupsOf(presentation);
      for (const { variant } of presentation.variants) {
        const named: readonly (readonly [RenditionType, string | null | undefined])[] = [
          ["AUDIO", variant.audioGroupId],
          ["VIDEO", variant.videoGroupId],
          ["SUBTITLES", variant.subtitlesGroupId],
          ["CLOSED-CAPTIONS", variant.closedCaptionsGroupId],
        ];
        for (const [type, groupId] of named) {
          if (groupId === undefined || groupId === null) continue;
          verdict.looked();
          if (groups.has(`${type}\n${groupId}`)) continue;
          verdict.fail(nameStream(variant), `${type} is "${groupId}"; no EXT-X-MEDIA of that type has this GROUP-ID.`);
        }
      }
    },
  },
  {
    id: "no-closed-captions",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2",
    title: "Where one variant says CLOSED-CAPTIONS=NONE, all do.",
    check: ({ variants }, verdict) => {
      if (variants.every(({ variant }) => variant.closedCaptionsGroupId !== null)) return;
      verdict.looked();
      for (const { variant } of variants) {
        if (variant.closedCaptionsGroupId === null) continue;
        verdict.fail(nameStream(variant), "CLOSED-CAPTIONS is not NONE, as it is of another variant.");
      }
    },
  },
  {
    id: "rendition-names",
    level: "must",
    clause: "RFC 8216bis §4.4.6.1.1",
    title: "NAME is unique within a group, and at most one rendition of a group is the default.",
    check: (presentation, verdict) => {
      for (const group of groupsOf(presentation).values()) {
        verdict.looked();
        const names = new Set<string>();
        for (const rendition of group) {
          if (names.has(rendition.name))
            verdict.fail(nameRendition(rendition), "Another of the group has the same NAME.");
          names.add(rendition.name);
        }
        const [, second] = group.filter(({ isDefault }) => isDefault);
        if (second !== undefined) verdict.fail(nameRendition(second), "Another of the group has DEFAULT=YES, too.");
      }
    },
  },
  {
    id: "rendition-autoselect",
    level: "should",
    clause: "RFC 8216bis §4.4.6.1.1",
    title: "No two renditions of a group with AUTOSELECT=YES are alike in language, FORCED and CHARACTERISTICS.",
    check: (presentation, verdict) => {
      for (const group of groupsOf(presentation).values()) {
        verdict.looked();
        const kinds = new Set<string>();
        for (const rendition of group.filter(({ isAutoselect }) => isAutoselect)) {
          const { language, associatedLanguage, isForced, characteristics } = rendition;
          const kind = JSON.stringify([language, associatedLanguage, isForced, characteristics]);
          if (kinds.has(kind)) {
            const message =
              "Another of the group that players may choose by themselves is of the same language and characteristics.";
            verdict.fail(nameRendition(rendition), message);
          }
          kinds.add(kind);
        }
      }
    },
  },
  {
    id: "rendition-attributes",
    level: "must",
    clause: "RFC 8216bis §4.4.6.1",
    title: "The attributes of each EXT-X-MEDIA go together and fit its type.",
    check: ({ renditions }, verdict) => {
      for (const { rendition } of renditions) {
        verdict.looked();
        for (const message of attributeFaults(rendition)) verdict.fail(nameRendition(rendition), `${message}.`);
      }
    },
  },
  {
    id: "rendition-language",
    level: "must",
    clause: "Apple 8.10, 4.7; RFC 8216bis §4.4.6.1 (RFC 5646)",
    title: "Every EXT-X-MEDIA but those of TYPE=VIDEO has a LANGUAGE, and each is a language tag.",
    check: ({ renditions }, verdict) => {
      for (const { rendition } of renditions) {
        const { type, language, associatedLanguage } = rendition;
        verdict.looked();
        if (language === undefined && type !== "VIDEO") verdict.fail(nameRendition(rendition), "LANGUAGE is missing.");
        for (const tag of [language, associatedLanguage]) {
          if (tag === undefined || isLanguageTag(tag)) continue;
          verdict.fail(nameRendition(rendition), `"${tag}" is no language tag; such as "en" or "pt-BR" is allowed.`);
        }
      }
    },
  },
  {
    id: "stereo-aac",
    level: "must",
    clause: "Apple 2.3",
    title: "Sound is there as stereo AAC, whatever else it is there as.",
    check: ({ playlists }, verdict) => {
      const sounds = playlists
        .filter(({ playlist }) => !playlist.isIFramesOnly)
        .flatMap((media) => allFacts(media).flatMap((facts) => (facts.kind === "audio" ? [facts] : [])));
      const unread = playlists.find((media) => media.segments.length > 0 && isUnread(media));
      const hasStereo = sounds.some(
        ({ codec, channelCount }) => /^mp4a\.40\.(2|5|29)$/.test(codec ?? "") && channelCount === 2,
      );
      if (hasStereo) verdict.looked();
      else if (unread !== undefined)
        verdict.unchecked(unread.path, `What it holds is not known: ${unreadReason(unread)}.`);
      else if (sounds.length > 0) {
        const found = sounds.map(({ codec, channelCount }) => `${codec ?? "unknown"} of ${channelCount} channels`);
        verdict.fail("the presentation", `Sound is there as ${found.join(", ")} alone; stereo AAC must be there.`);
      }
    },
  },
  {
    id: "separate-audio",
    level: "must",
    clause: "Apple 9.5, 8.9",
    title: "Sound lies apart from pictures, in a group of renditions.",
    check: (presentation, verdict) => {
      for (const { variant, media } of videoVariants(presentation)) {
        const hasSound = media !== undefined && allFacts(media).some(({ kind }) => kind === "audio");
        if (hasSound) verdict.fail(nameStream(variant), "Its segments hold pictures and sound together.");
        else if (variant.audioGroupId !== undefined) verdict.looked();
      }
    },
  },
  {
    id: "subtitle-timestamp-map",
    level: "must",
    clause: "Apple 5.3; RFC 8216bis §3.1.4",
    title: "Every segment of WebVTT has an X-TIMESTAMP-MAP.",
    check: ({ playlists }, verdict) => {
      for (const { path, segments } of playlists) {
        for (const { content, index } of segments) {
          if (content?.container !== "webvtt") continue;
          verdict.looked();
          if (content.hasTimestampMap !== true)
            verdict.fail(`${path}, segment ${index}`, "X-TIMESTAMP-MAP is missing.");
        }
      }
    },
  },
];
