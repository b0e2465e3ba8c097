import { expect, it } from "vitest";
import type { MeasuredPlaylist } from "../../media/hls/check/presentation.ts";
import type { SoundPlan, SubtitlePlan } from "./packaging.ts";
import { describeRenditions } from "./renditions.ts";

// Nothing of them is read.
const media = {} as MeasuredPlaylist;

function sound(label: string, more: Partial<SoundPlan> = {}): SoundPlan {
  const about = { channels: 2, isMono: false, unmixedChannels: null, kilobitsPerSecond: 128, position: 0 };
  return {
    ...{ name: label, label, groupId: "stereo", streamIndex: 0, language: "en", isDefault: false },
    ...about,
    ...more,
  };
}

function subtitles(label: string, more: Partial<SubtitlePlan> = {}): SubtitlePlan {
  return { name: label, label, streamIndex: 9, language: "en", isForced: false, ...more };
}

function chosen(sounds: readonly SoundPlan[], texts: readonly SubtitlePlan[] = []): readonly string[] {
  const measured = [sounds.map((plan) => ({ plan, media })), texts.map((plan) => ({ plan, media }))] as const;
  return describeRenditions(...measured).map(({ groupId, name, isAutoselect, characteristics }) =>
    [groupId, name, isAutoselect ? "by itself" : "by people", characteristics ?? ""].join(" ").trim(),
  );
}

it("has players choose by themselves one rendition of each kind, the default before others, and no commentary", () => {
  const tracks = [
    sound("en", { streamIndex: 1 }),
    sound("main", { streamIndex: 2, isDefault: true }),
    sound("talk", { streamIndex: 3, purposes: ["comment"] }),
    sound("told", { streamIndex: 4, purposes: ["visual_impaired"] }),
    sound("deutsch", { streamIndex: 5, language: "de" }),
    sound("deutsch", { streamIndex: 5, language: "de", groupId: "surround" }),
  ];
  const each = [
    "en by people",
    ...["main by itself", "talk by people"],
    "told by itself public.accessibility.describes-video",
    "deutsch by itself",
  ];
  expect(chosen(tracks)).toEqual(["stereo", "surround"].flatMap((group) => each.map((one) => `${group} ${one}`)));
});

it("has a commentary chosen where it is the default, and tells of subtitles for those who do not hear", () => {
  expect(chosen([sound("talk", { purposes: ["comment"], isDefault: true })])).toEqual(["stereo talk by itself"]);
  const texts = [
    subtitles("words"),
    subtitles("all", { purposes: ["hearing_impaired"] }),
    subtitles("forced", { isForced: true }),
    subtitles("more words"),
  ];
  expect(chosen([], texts)).toEqual([
    "subtitles words by itself",
    "subtitles all by itself public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",
    ...["subtitles forced by itself", "subtitles more words by people"],
  ]);
});
