import { isPartlyUnread, nameStream, unreadReason, videoVariants } from "../figures.ts";
import type { Rule } from "../rule.ts";

/** Rules of I-frame playlists. */
export const I_FRAME_RULES: readonly Rule[] = [
  {
    id: "i-frame-playlists",
    level: "must",
    clause: "Apple 6.1",
    title: "Presentations with pictures have I-frame playlists.",
    check: (presentation, verdict) => {
      if (videoVariants(presentation).length === 0) return;
      verdict.looked();
      if (presentation.iFrames.length === 0)
        verdict.fail(presentation.rootPath, "EXT-X-I-FRAME-STREAM-INF is missing.");
    },
  },
  {
    id: "i-frames-only",
    level: "must",
    clause: "RFC 8216bis §4.4.3.6; Apple 6.8",
    title: "The playlists of I-frame streams, and no others, have EXT-X-I-FRAMES-ONLY.",
    check: ({ iFrames, variants, renditions }, verdict) => {
      for (const { variant, media } of iFrames) {
        if (media === undefined) continue;
        verdict.looked();
        if (!media.playlist.isIFramesOnly) verdict.fail(nameStream(variant), "EXT-X-I-FRAMES-ONLY is missing.");
      }
      for (const { media } of [...variants, ...renditions]) {
        if (media?.playlist.isIFramesOnly)
          verdict.fail(media.path, "EXT-X-I-FRAMES-ONLY is there; this is no I-frame stream.");
      }
    },
  },
  {
    id: "i-frame-segments",
    level: "must",
    clause: "RFC 8216bis §4.4.3.6; Apple 6.10",
    title: "Each segment of an I-frame playlist is exactly one key frame, with what it takes to decode it.",
    check: ({ playlists }, verdict) => {
      for (const media of playlists) {
        if (!media.playlist.isIFramesOnly) continue;
        if (isPartlyUnread(media)) verdict.unchecked(media.path, `It could not be measured: ${unreadReason(media)}.`);
        for (const { content, index } of media.segments) {
          if (content === undefined) continue;
          verdict.looked();
          const { iFrameFault } = content;
          if (iFrameFault !== undefined) verdict.fail(`${media.path}, segment ${index}`, `${iFrameFault}.`);
        }
      }
    },
  },
];
