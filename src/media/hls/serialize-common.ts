import { ReelmillError } from "../../base/errors.ts";
import { type Attribute, serializeAttributeList } from "./attribute-list.ts";
import { formatDecimal, formatDecimalInteger } from "./decimal.ts";
import type { EncryptionKey, StartPoint } from "./playlist.ts";
import { hasControlCharacter, shownValue } from "./playlist-error.ts";

/** Gathers the attributes of one tag; what is undefined is left out. */
export class AttributeWriter {
  readonly #attributes: Attribute[] = [];

  quoted(name: string, text: string | undefined): this {
    return this.#add(name, text, true);
  }

  word(name: string, text: string | undefined): this {
    return this.#add(name, text, false);
  }

  integer(name: string, value: number | undefined): this {
    return this.#add(name, value === undefined ? undefined : formatDecimalInteger(value, name), false);
  }

  decimal(name: string, value: number | undefined): this {
    return this.#add(name, value === undefined ? undefined : formatDecimal(value, name), false);
  }

  flag(name: string, value: boolean | undefined): this {
    return this.#add(name, value === undefined ? undefined : value ? "YES" : "NO", false);
  }

  /** The tag's line, without its end. Throws MEDIA_MALFORMED where a value cannot be written. */
  line(tag: string): string {
    return `${tag}:${serializeAttributeList(this.#attributes)}`;
  }

  #add(name: string, text: string | undefined, isQuoted: boolean): this {
    if (text !== undefined) this.#attributes.push({ name, text, isQuoted });
    return this;
  }
}

/** A line that holds a URI. Throws MEDIA_MALFORMED where it could be taken for something else. */
export function uriLine(uri: string): string {
  if (uri !== "" && !uri.startsWith("#") && !hasControlCharacter(uri)) return uri;
  const allowed = "a reference that does not begin with # and has no control characters";
  throw new ReelmillError("MEDIA_MALFORMED", `A URI is ${shownValue(uri)}; ${allowed} is allowed.`);
}

/** The lines that both kinds of playlists begin with. */
export function headLines(playlist: {
  readonly version?: number;
  readonly hasIndependentSegments: boolean;
  readonly start?: StartPoint;
}): string[] {
  const { version, hasIndependentSegments, start } = playlist;
  return [
    "#EXTM3U",
    ...(version === undefined ? [] : [`#EXT-X-VERSION:${formatDecimalInteger(version, "EXT-X-VERSION")}`]),
    ...(hasIndependentSegments ? ["#EXT-X-INDEPENDENT-SEGMENTS"] : []),
    ...(start === undefined ? [] : [startLine(start)]),
  ];
}

function startLine({ offsetSeconds, isPrecise }: StartPoint): string {
  const attributes = new AttributeWriter().decimal("TIME-OFFSET", offsetSeconds);
  return attributes.flag("PRECISE", isPrecise || undefined).line("#EXT-X-START");
}

/** The line of a key. */
export function keyLine(tag: "#EXT-X-KEY" | "#EXT-X-SESSION-KEY", key: EncryptionKey): string {
  return new AttributeWriter()
    .word("METHOD", key.method)
    .quoted("URI", key.uri)
    .word("IV", key.initializationVector)
    .quoted("KEYFORMAT", key.keyFormat)
    .quoted("KEYFORMATVERSIONS", key.keyFormatVersions)
    .line(tag);
}
