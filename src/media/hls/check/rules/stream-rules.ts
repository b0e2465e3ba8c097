import type { StreamAttributes } from "../../playlist.ts";
import {
  allFacts,
  frameRateOf,
  isPartlyUnread,
  nameStream,
  unreadReason,
  videoFacts,
  videoVariants,
} from "../figures.ts";
import type { MeasuredPlaylist, Presentation, VariantView } from "../presentation.ts";
import type { Rule, Verdict } from "../rule.ts";
import { isSameCodec, isTextCodec } from "./codec-match.ts";

/** FRAME-RATE is rounded to three decimals; measured over a whole playlist it is as exact as its clock. */
const RATE_TOLERANCE = 0.0005;
const MAX_FRAMES_PER_SECOND = 60;
/** Of pictures at variable times, a second that begins elsewhere has one more or less; a larger share of fast ones. */
const VARIABLE_TOLERANCE = { frames: 1, share: 0.05 } as const;

const HDCP_LEVELS: readonly string[] = ["NONE", "TYPE-0", "TYPE-1"];

/** The playlists that play together with a variant: its own, and those of the groups that it names; undefined stands for one that was not read. */
function playlistsOf(
  { renditions }: Presentation,
  { variant, media }: VariantView,
): readonly (MeasuredPlaylist | undefined)[] {
  const named = renditions.filter(
    ({ rendition: { type, groupId } }) =>
      (type === "AUDIO" && groupId === variant.audioGroupId) ||
      (type === "VIDEO" && groupId === variant.videoGroupId) ||
      (type === "SUBTITLES" && groupId === variant.subtitlesGroupId),
  );
  return [media, ...named.flatMap((view) => (view.rendition.uri === undefined ? [] : [view.media]))];
}

function compareCodecs(
  stream: StreamAttributes,
  all: readonly (MeasuredPlaylist | undefined)[],
  verdict: Verdict,
): void {
  const where = nameStream(stream);
  const declared = stream.codecs;
  if (declared === undefined) {
    verdict.fail(where, "CODECS is missing.");
    return;
  }
  const media = all.filter((one) => one !== undefined);
  const measured = [...new Set(media.flatMap(allFacts).flatMap(({ codec }) => codec ?? []))];
  for (const codec of measured) {
    if (isTextCodec(codec) || declared.some((one) => isSameCodec(one, codec))) continue;
    verdict.fail(where, `CODECS is "${declared.join(",")}"; the media are ${codec}.`);
  }
  const unread = media.find(isPartlyUnread);
  if (unread !== undefined || media.length < all.length) {
    verdict.unchecked(where, unread ? `${unread.path}: ${unreadReason(unread)}.` : "A playlist could not be read.");
    return;
  }
  verdict.looked();
  for (const one of declared) {
    if (isTextCodec(one) || measured.some((codec) => isSameCodec(one, codec))) continue;
    verdict.fail(where, `CODECS names ${one}; the media are ${measured.join(", ") || "of no known kind"}.`);
  }
}

function compareResolution(stream: StreamAttributes, media: MeasuredPlaylist | undefined, verdict: Verdict): void {
  const { resolution } = stream;
  const facts = videoFacts(media);
  const where = nameStream(stream);
  if (resolution === undefined) verdict.fail(where, "RESOLUTION is missing.");
  else if (facts === undefined)
    verdict.unchecked(where, media ? `${unreadReason(media)}.` : "Its playlist could not be read.");
  else {
    verdict.looked();
    const { widthPixels, heightPixels } = resolution;
    if (widthPixels === facts.widthPixels && heightPixels === facts.heightPixels) return;
    const measured = `${facts.widthPixels}x${facts.heightPixels}`;
    verdict.fail(where, `RESOLUTION is ${widthPixels}x${heightPixels}; the pictures are ${measured}.`);
  }
}

function compareFrameRate({ variant, media }: VariantView, verdict: Verdict): void {
  const declared = variant.framesPerSecond;
  const rate = frameRateOf(media);
  const where = nameStream(variant);
  if (declared === undefined) verdict.fail(where, "FRAME-RATE is missing.");
  else if (rate === undefined || media === undefined) verdict.unchecked(where, "Its pictures could not be counted.");
  else {
    verdict.looked();
    const { average, largest } = rate;
    const lowest = Math.max(average, largest - slackOf(rate)) * (1 - RATE_TOLERANCE) - 0.001;
    const highest = (largest + slackOf(rate)) * (1 + RATE_TOLERANCE) + 0.001;
    if (declared >= lowest && declared <= highest) return;
    const most = rate.isConstant ? "" : " in the second that has the most pictures";
    verdict.fail(where, `FRAME-RATE is ${declared}; ${Number(largest.toFixed(3))} was measured${most}.`);
  }
}

/** By how much the largest rate that was measured may be off, in pictures per second. */
function slackOf({ isConstant, largest }: { readonly isConstant: boolean; readonly largest: number }): number {
  return isConstant ? 0 : Math.max(VARIABLE_TOLERANCE.frames, VARIABLE_TOLERANCE.share * largest);
}

/** Holds what is declared and what was measured against the most that is allowed. */
function limitFrameRate({ variant, media }: VariantView, verdict: Verdict): void {
  const limit = MAX_FRAMES_PER_SECOND * (1 + RATE_TOLERANCE);
  const where = nameStream(variant);
  const declared = variant.framesPerSecond ?? 0;
  const rate = frameRateOf(media);
  verdict.looked();
  if (rate !== undefined && (rate.average > limit || rate.largest - slackOf(rate) > limit)) {
    verdict.fail(where, `It has ${Number(rate.largest.toFixed(3))} pictures per second.`);
  } else if (declared > limit) verdict.fail(where, `FRAME-RATE is ${declared}; ${MAX_FRAMES_PER_SECOND} is allowed.`);
}

/** Runs `look` for each variant with pictures that could be read, and says of the others that they were not. */
function forReadVideo(presentation: Presentation, verdict: Verdict, look: (view: VariantView) => void): void {
  for (const view of videoVariants(presentation)) {
    if (videoFacts(view.media) !== undefined) look(view);
    else
      verdict.unchecked(
        nameStream(view.variant),
        view.media ? `${unreadReason(view.media)}.` : "It could not be read.",
      );
  }
}

/** Rules of what streams say of themselves against what their media are. */
export const STREAM_RULES: readonly Rule[] = [
  {
    id: "codecs",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2; Apple 9.1, 9.3",
    title: "CODECS is there and names what the bitstreams are.",
    check: (presentation, verdict) => {
      for (const view of presentation.variants) compareCodecs(view.variant, playlistsOf(presentation, view), verdict);
      for (const { variant, media } of presentation.iFrames) compareCodecs(variant, [media], verdict);
    },
  },
  {
    id: "resolution",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2; Apple 9.2, 9.4",
    title: "RESOLUTION is there for streams with pictures and is that of their parameter sets.",
    check: (presentation, verdict) => {
      for (const { variant, media } of videoVariants(presentation)) compareResolution(variant, media, verdict);
      for (const { variant, media } of presentation.iFrames) compareResolution(variant, media, verdict);
    },
  },
  {
    id: "frame-rate",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2; Apple 9.15",
    title: "FRAME-RATE is there for streams with pictures and is the largest rate measured.",
    check: (presentation, verdict) => {
      for (const view of videoVariants(presentation)) compareFrameRate(view, verdict);
    },
  },
  {
    id: "frame-rate-limit",
    level: "must",
    clause: "Apple 1.19",
    title: "No more than 60 pictures per second, by FRAME-RATE and as measured.",
    check: (presentation, verdict) => forReadVideo(presentation, verdict, (view) => limitFrameRate(view, verdict)),
  },
  {
    id: "video-range",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2; Apple 9.16",
    title: "VIDEO-RANGE is that of the transfer characteristics; it may be missing only where all is SDR.",
    check: (presentation, verdict) => {
      const { iFrames } = presentation;
      const streams = [...videoVariants(presentation), ...iFrames];
      const isAllSdr = streams.every(({ media }) => (videoFacts(media)?.range ?? "SDR") === "SDR");
      for (const { variant, media } of streams) {
        const range = videoFacts(media)?.range;
        const declared = variant.videoRange ?? (isAllSdr ? "SDR" : "missing");
        if (range === undefined) verdict.unchecked(nameStream(variant), "Its pictures could not be read.");
        else verdict.looked();
        if (range === undefined || declared === range) continue;
        verdict.fail(nameStream(variant), `VIDEO-RANGE is ${declared}; the pictures are ${range}.`);
      }
    },
  },
  {
    id: "hdcp-level",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2",
    title: "HDCP-LEVEL is NONE, TYPE-0 or TYPE-1.",
    check: ({ variants, iFrames }, verdict) => {
      for (const { variant } of [...variants, ...iFrames]) {
        if (variant.hdcpLevel === undefined) continue;
        verdict.looked();
        if (HDCP_LEVELS.includes(variant.hdcpLevel)) continue;
        verdict.fail(nameStream(variant), `HDCP-LEVEL is ${variant.hdcpLevel}; ${HDCP_LEVELS.join(", ")} are allowed.`);
      }
    },
  },
  {
    id: "scores",
    level: "should",
    clause: "RFC 8216bis §4.4.6.2",
    title: "Where one variant has a SCORE, all have.",
    check: ({ variants }, verdict) => {
      if (variants.every(({ variant }) => variant.score === undefined)) return;
      verdict.looked();
      for (const { variant } of variants) {
        if (variant.score === undefined)
          verdict.fail(nameStream(variant), "SCORE is missing; another variant has one.");
      }
    },
  },
  {
    id: "progressive",
    level: "must",
    clause: "Apple 1.14",
    title: "No interlaced pictures.",
    check: (presentation, verdict) =>
      forReadVideo(presentation, verdict, ({ variant, media }) => {
        verdict.looked();
        if (videoFacts(media)?.isInterlaced) verdict.fail(nameStream(variant), "Its parameter sets say interlaced.");
      }),
  },
  {
    id: "hevc-in-fmp4",
    level: "must",
    clause: "Apple 1.5",
    title: "HEVC is carried in fragmented MP4 alone.",
    check: ({ playlists }, verdict) => {
      for (const media of playlists) {
        if (!/^(hvc1|hev1)\./.test(videoFacts(media)?.codec ?? "")) continue;
        verdict.looked();
        const other = media.segments
          .values()
          .find(({ content }) => content !== undefined && content.container !== "fmp4");
        if (other !== undefined) verdict.fail(media.path, `Its HEVC is carried in ${other.content?.container}.`);
      }
    },
  },
];
