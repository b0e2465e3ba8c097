import { parseWebVtt } from "../../../../../src/media/webvtt/parse-webvtt.ts";
import type { Api } from "../../../api/api.ts";
import { objectUrl } from "../../../api/object-urls.ts";

/** A small picture: part of a sheet. */
export interface Thumbnail {
  readonly startSeconds: number;
  /** Address of the sheet on this server. */
  readonly sheetUrl: string;
  readonly x: number;
  readonly y: number;
  readonly widthPixels: number;
  readonly heightPixels: number;
}

const PLACE = /^([\w-][\w.-]{0,99})#xywh=(\d{1,5}),(\d{1,5}),(\d{1,4}),(\d{1,4})$/;

/** The small pictures of the package below `folder`, a key with a slash at its end. Throws an ApiError, or MEDIA_MALFORMED. */
export async function readThumbnails(api: Api, folder: string, signal: AbortSignal): Promise<readonly Thumbnail[]> {
  return parseThumbnails(await api.readObjectText(`${folder}thumbnails/index.vtt`, signal), `${folder}thumbnails/`);
}

/** The pictures that a WebVTT file names; cues that say anything else are passed over. Throws MEDIA_MALFORMED. */
export function parseThumbnails(text: string, folder: string): readonly Thumbnail[] {
  return parseWebVtt(text).cues.flatMap(({ startSeconds, text: place }) => {
    const match = PLACE.exec(place);
    if (match === null) return [];
    const [x = 0, y = 0, widthPixels = 0, heightPixels = 0] = match.slice(2).map(Number);
    const sheetUrl = objectUrl(folder + match[1]);
    return [{ startSeconds, sheetUrl, x, y, widthPixels, heightPixels }];
  });
}

/** The picture of a time; undefined where there is none. */
export function thumbnailAt(thumbnails: readonly Thumbnail[], seconds: number): Thumbnail | undefined {
  return thumbnails.findLast(({ startSeconds }) => startSeconds <= seconds) ?? thumbnails[0];
}
