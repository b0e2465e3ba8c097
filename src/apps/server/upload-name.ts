import { fittingName, MAX_FILE_NAME_BYTES } from "../../base/fitting-name.ts";
import { isObjectKey } from "../../jobs/object-key.ts";

/** In bytes of UTF-8; leaves room for what is put before and behind it in file systems. */
const MAX_NAME_BYTES = 200;
const MAX_EXTENSION_BYTES = 20;
/** Control characters, and those that turn the direction of writing so that an extension looks like another one. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069/\\]/gu;

/** A name as a client sent it, as one safe segment of an object's key; the extension stays. */
export function safeUploadName(given: string | null | undefined): string {
  // Some browsers send a whole path.
  const last = (given ?? "").toWellFormed().split(/[/\\]/).at(-1) ?? "";
  const name = shorten(last.normalize("NFC").replaceAll(UNSAFE, "_").trim().replace(/\.+$/, ""));
  if (name === "") return "upload";
  return isObjectKey(name) ? name : `_${name}`;
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const found = /\.[^.]+$/.exec(name)?.[0] ?? "";
  const extension = Buffer.byteLength(found) <= MAX_EXTENSION_BYTES ? found : "";
  const stem = name.slice(0, name.length - extension.length);
  const roomBytes = MAX_FILE_NAME_BYTES - MAX_NAME_BYTES + Buffer.byteLength(extension);
  return fittingName(stem, "", roomBytes).trimEnd() + extension;
}
