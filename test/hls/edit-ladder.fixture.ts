import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parsePlaylist } from "../../src/media/hls/parse-playlist.ts";
import type {
  MediaPlaylist,
  MediaSegment,
  MultivariantPlaylist,
  Rendition,
  VariantStream,
} from "../../src/media/hls/playlist.ts";
import { readMedia, writePlaylist } from "./ladder.fixture.ts";

/** Rewrites the multivariant playlist. */
export function editMain(folder: string, change: (main: MultivariantPlaylist) => Partial<MultivariantPlaylist>): void {
  const path = join(folder, "main.m3u8");
  const main = parsePlaylist(readFileSync(path, "utf8"));
  if (main.kind !== "multivariant") throw new Error("main.m3u8 is multivariant");
  writePlaylist(path, { ...main, ...change(main) });
}

/** Rewrites what the first variant says of itself. */
export function editFirst(change: (variant: VariantStream) => Partial<VariantStream>) {
  return (folder: string): void =>
    editMain(folder, ({ variants }) => ({
      variants: variants.map((variant, index) => (index === 0 ? { ...variant, ...change(variant) } : variant)),
    }));
}

/** Rewrites an EXT-X-MEDIA. */
export function editRendition(index: number, change: (rendition: Rendition) => Partial<Rendition>) {
  return (folder: string): void =>
    editMain(folder, ({ renditions }) => ({
      renditions: renditions.map((rendition, at) =>
        at === index ? { ...rendition, ...change(rendition) } : rendition,
      ),
    }));
}

/** Rewrites a media playlist. */
export function editMedia(path: string, change: (media: MediaPlaylist) => Partial<MediaPlaylist>) {
  return (folder: string): void => {
    const media = readMedia(join(folder, path));
    writePlaylist(join(folder, path), { ...media, ...change(media) });
  };
}

/** Rewrites a segment in its playlist. */
export function editSegment(path: string, at: number, change: (segment: MediaSegment) => Partial<MediaSegment>) {
  return editMedia(path, ({ segments }) => ({
    segments: segments.map((segment, index) => (index === at ? { ...segment, ...change(segment) } : segment)),
  }));
}

export function withoutMap({ map: _, ...segment }: MediaSegment): MediaSegment {
  return segment;
}

export function withoutCaptions({ closedCaptionsGroupId: _, ...variant }: VariantStream): VariantStream {
  return variant;
}
