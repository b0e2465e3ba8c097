import { ReelmillError } from "../../base/errors.ts";
import { requireObjectKey } from "../../jobs/object-key.ts";

/**
 * The object key in a URL as it was sent: segments percent-encoded, each by itself. The router's own decoding is not used, because
 * it cannot tell an encoded slash from a plain one. Throws OBJECT_KEY_INVALID.
 */
export function parseObjectPath(url: string, prefix: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? "";
  const segments = path.slice(prefix.length).split("/").map(decodeSegment);
  const key = segments.join("/");
  if (segments.some((segment) => segment.includes("/"))) {
    throw new ReelmillError("OBJECT_KEY_INVALID", "The object key has an encoded slash in one of its parts.");
  }
  requireObjectKey(key);
  return key;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new ReelmillError("OBJECT_KEY_INVALID", "The object key is not percent-encoded UTF-8.", { cause: error });
  }
}

/** A key as a part of a URL, or where a header holds it. */
export function formatObjectPath(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}
