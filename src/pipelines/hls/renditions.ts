import type { MeasuredPlaylist } from "../../media/hls/check/presentation.ts";
import type { Rendition } from "../../media/hls/playlist.ts";
import type { SoundPlan, SubtitlePlan } from "./packaging.ts";
import { SEGMENTS_PLAYLIST } from "./write-media.ts";

/** A sound as measured. */
export interface MeasuredSound {
  readonly plan: SoundPlan;
  readonly media: MeasuredPlaylist;
}

/** Subtitles as measured. */
export interface MeasuredSubtitles {
  readonly plan: SubtitlePlan;
  readonly media: MeasuredPlaylist;
}

/** The only group of subtitles. */
export const SUBTITLES_GROUP = "subtitles";

/** Subtitles that tell of sounds besides what is said, and sound that tells of what is seen (RFC 8216bis §4.4.6.1). */
const FOR_THE_DEAF = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";
const FOR_THE_BLIND = "public.accessibility.describes-video";

/** What players may choose from: sound by groups, then subtitles. */
export function describeRenditions(
  sounds: readonly MeasuredSound[],
  subtitles: readonly MeasuredSubtitles[],
): readonly Rendition[] {
  const groupIds = [...new Set(sounds.map(({ plan }) => plan.groupId))];
  return withAutoselect([
    ...groupIds.flatMap((groupId) => membersOf(sounds, groupId).map((sound) => describeSound(sound, groupId))),
    ...subtitles.map(describeSubtitles),
  ]);
}

/** Every group has every track (RFC 8216bis §4.4.6.2.1): where one has no surround sound, its stereo stands in. */
export function membersOf(sounds: readonly MeasuredSound[], groupId: string): readonly MeasuredSound[] {
  const own = sounds.filter(({ plan }) => plan.groupId === groupId);
  const others = sounds.filter(
    ({ plan }) => plan.groupId === "stereo" && own.every((sound) => sound.plan.streamIndex !== plan.streamIndex),
  );
  return [...own, ...others].sort((a, b) => a.plan.streamIndex - b.plan.streamIndex);
}

/** A rendition, and whether it is about the recording rather than of it. */
type Described = Omit<Rendition, "isAutoselect"> & { readonly isCommentary: boolean };

function describeSound({ plan }: MeasuredSound, groupId: string): Described {
  const { purposes = [] } = plan;
  return {
    type: "AUDIO",
    groupId,
    name: plan.label,
    language: plan.language,
    isDefault: plan.isDefault,
    isForced: false,
    ...(purposes.includes("visual_impaired") ? { characteristics: FOR_THE_BLIND } : {}),
    channels: String(plan.channels),
    uri: `${plan.name}/${SEGMENTS_PLAYLIST}`,
    isCommentary: purposes.includes("comment"),
  };
}

function describeSubtitles({ plan }: MeasuredSubtitles): Described {
  const { purposes = [] } = plan;
  return {
    type: "SUBTITLES",
    groupId: SUBTITLES_GROUP,
    name: plan.label,
    language: plan.language,
    isDefault: false,
    isForced: plan.isForced,
    ...(purposes.includes("hearing_impaired") ? { characteristics: FOR_THE_DEAF } : {}),
    uri: `${plan.name}/${SEGMENTS_PLAYLIST}`,
    isCommentary: purposes.includes("comment"),
  };
}

/**
 * Says which renditions players may choose by themselves: the default, no commentary, and of several of a group that are alike in language and
 * characteristics the first (RFC 8216bis §4.4.6.1.1).
 */
function withAutoselect(all: readonly Described[]): readonly Rendition[] {
  const kinds = new Map<string, Described>();
  const inTurn = [...all].sort((one, other) => Number(other.isDefault) - Number(one.isDefault));
  for (const one of inTurn.filter(({ isDefault, isCommentary }) => isDefault || !isCommentary)) {
    const kind = kindOf(one);
    if (!kinds.has(kind)) kinds.set(kind, one);
  }
  return all.map((one) => {
    const { isCommentary: _, ...rendition } = one;
    return { ...rendition, isAutoselect: kinds.get(kindOf(one)) === one };
  });
}

function kindOf({ groupId, language, isForced, characteristics }: Described): string {
  return [groupId, language, isForced, characteristics].join("\n");
}
