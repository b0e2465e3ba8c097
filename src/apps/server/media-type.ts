import { formatObjectPath } from "./object-path.ts";

/** By extension; nothing that a browser would run. */
const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([
  ["mp4", "video/mp4"],
  ["m4v", "video/mp4"],
  ["mov", "video/quicktime"],
  ["mkv", "video/x-matroska"],
  ["webm", "video/webm"],
  ["avi", "video/x-msvideo"],
  ["ts", "video/mp2t"],
  ["m4s", "video/iso.segment"],
  ["m3u8", "application/vnd.apple.mpegurl"],
  ["m4a", "audio/mp4"],
  ["mp3", "audio/mpeg"],
  ["aac", "audio/aac"],
  ["wav", "audio/wav"],
  ["flac", "audio/flac"],
  ["opus", "audio/ogg"],
  ["ogg", "audio/ogg"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["png", "image/png"],
  ["webp", "image/webp"],
  ["json", "application/json"],
  ["vtt", "text/vtt; charset=utf-8"],
  ["txt", "text/plain; charset=utf-8"],
  ["log", "text/plain; charset=utf-8"],
]);

/** The media type that an object is served as, by its key's extension. */
export function mediaTypeOf(key: string): string {
  const extension = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? "";
  return MEDIA_TYPES.get(extension) ?? "application/octet-stream";
}

/** Content-Disposition (RFC 6266, with the name as in RFC 8187) for the last part of a key. */
export function dispositionOf(key: string, kind: "inline" | "attachment"): string {
  const name = key.split("/").at(-1) ?? "";
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  // encodeURIComponent leaves four characters that RFC 8187 §3.2.1 does not allow.
  const encoded = formatObjectPath(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
