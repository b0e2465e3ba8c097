import { ReelmillError } from "../../base/errors.ts";
import { parseDecimal, parseDecimalInteger, parseSignedDecimal } from "./decimal.ts";
import { hasControlCharacter, playlistError, shownValue, valueError } from "./playlist-error.ts";

/** One name and value of a tag's attribute list (RFC 8216bis §4.2). */
export interface Attribute {
  /** A–Z, 0–9 and `-`. */
  readonly name: string;
  /** Without its quotes. */
  readonly text: string;
  /** A quoted-string; all other kinds of values stand bare. */
  readonly isQuoted: boolean;
}

const NAME = /^[A-Z0-9-]+$/;
/** A name, then a quoted string or whatever reaches to the next comma. */
const PAIR = /([^=,"]*)=(?:"([^"]*)"|([^",\s][^",]*))/y;
/** More attributes than this in one tag are hostile. */
const MAX_ATTRIBUTES = 256;

/**
 * Splits an attribute list. Throws MEDIA_MALFORMED where it is not a list of `NAME=value` joined by commas without blanks,
 * or names an attribute twice.
 */
export function parseAttributeList(text: string, lineNumber: number): readonly Attribute[] {
  const attributes: Attribute[] = [];
  const names = new Set<string>();
  let index = 0;
  while (index < text.length) {
    PAIR.lastIndex = index;
    const match = PAIR.exec(text);
    const name = match?.[1] ?? "";
    if (match === null || !NAME.test(name)) {
      const allowed = 'NAME=value or NAME="value" of A-Z, 0-9 and -, joined by commas without blanks';
      throw valueError(lineNumber, "the attribute list from here on", text.slice(index), allowed);
    }
    if (names.has(name)) throw playlistError(lineNumber, `${name} stands twice in one tag; once is allowed.`);
    if (names.size >= MAX_ATTRIBUTES) {
      throw playlistError(
        lineNumber,
        `the tag has more than ${MAX_ATTRIBUTES} attributes; at most so many are allowed.`,
      );
    }
    names.add(name);
    attributes.push({ name, text: match[2] ?? match[3] ?? "", isQuoted: match[2] !== undefined });
    index = PAIR.lastIndex;
    if (index === text.length) break;
    const isFollowed = text[index] === "," && index + 1 < text.length;
    if (!isFollowed)
      throw valueError(lineNumber, `what follows ${name}`, text.slice(index), "a comma and another attribute");
    index++;
  }
  return attributes;
}

/** Writes an attribute list. Throws MEDIA_MALFORMED where a name or value holds what it cannot. */
export function serializeAttributeList(attributes: readonly Attribute[]): string {
  return attributes.map(serializeAttribute).join(",");
}

function serializeAttribute({ name, text, isQuoted }: Attribute): string {
  const isSafe = !hasControlCharacter(text) && (isQuoted ? !text.includes('"') : /^[^",\s]+$/.test(text));
  if (isSafe && NAME.test(name)) return isQuoted ? `${name}="${text}"` : `${name}=${text}`;
  const allowed = isQuoted ? "text without quotes and control characters" : "a word without quotes, commas and blanks";
  throw new ReelmillError("MEDIA_MALFORMED", `The attribute ${name} is ${shownValue(text)}; ${allowed} is allowed.`);
}

/** Reads the attributes of one tag by their kind. Every read throws MEDIA_MALFORMED where the value is of another kind. */
export class AttributeReader {
  readonly tag: string;
  readonly lineNumber: number;
  readonly #attributes: ReadonlyMap<string, Attribute>;

  /** Parses `text`, which follows `tag` and its colon. */
  constructor(tag: string, text: string, lineNumber: number) {
    this.tag = tag;
    this.lineNumber = lineNumber;
    this.#attributes = new Map(parseAttributeList(text, lineNumber).map((attribute) => [attribute.name, attribute]));
  }

  /** A quoted-string, undefined where the attribute is not there. */
  quoted(name: string): string | undefined {
    return this.#text(name, true, 'a text in quotes, such as "eng",');
  }

  /** A quoted-string that must be there. */
  needQuoted(name: string): string {
    return this.quoted(name) ?? this.#missing(name);
  }

  /** An enumerated-string or hexadecimal-sequence: a word without quotes. */
  word(name: string): string | undefined {
    return this.#text(name, false, "a value without quotes");
  }

  /** A word that must be there. */
  needWord(name: string): string {
    return this.word(name) ?? this.#missing(name);
  }

  /** YES or NO. */
  flag(name: string): boolean | undefined {
    const text = this.word(name);
    if (text === undefined || text === "YES" || text === "NO") return text === undefined ? undefined : text === "YES";
    throw valueError(this.lineNumber, `${name} of ${this.tag}`, text, "YES or NO");
  }

  integer(name: string, min = 0): number | undefined {
    const text = this.word(name);
    return text === undefined ? undefined : parseDecimalInteger(text, this.lineNumber, `${name} of ${this.tag}`, min);
  }

  /** A decimal-integer that must be there. */
  needInteger(name: string): number {
    return this.integer(name) ?? this.#missing(name);
  }

  decimal(name: string): number | undefined {
    const text = this.word(name);
    return text === undefined ? undefined : parseDecimal(text, this.lineNumber, `${name} of ${this.tag}`);
  }

  signedDecimal(name: string): number | undefined {
    const text = this.word(name);
    return text === undefined ? undefined : parseSignedDecimal(text, this.lineNumber, `${name} of ${this.tag}`);
  }

  /** Whether a value is in quotes: CLOSED-CAPTIONS may be either. */
  isQuoted(name: string): boolean {
    return this.#attributes.get(name)?.isQuoted ?? false;
  }

  #text(name: string, isQuoted: boolean, allowed: string): string | undefined {
    const attribute = this.#attributes.get(name);
    if (attribute === undefined) return undefined;
    if (attribute.isQuoted !== isQuoted) {
      throw valueError(this.lineNumber, `${name} of ${this.tag}`, attribute.text, allowed);
    }
    return attribute.text;
  }

  #missing(name: string): never {
    throw playlistError(this.lineNumber, `${this.tag} has no ${name}; it must have one.`);
  }
}
