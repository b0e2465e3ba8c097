import type { EncryptionKey } from "../../playlist.ts";
import { SAMPLE_SCHEMES } from "../../sample-schemes.ts";
import { type SegmentContainer, STREAM_PROTECTION, type TrackFacts } from "../measure.ts";
import type { Presentation } from "../presentation.ts";
import type { Rule, Verdict } from "../rule.ts";

const METHODS: readonly string[] = ["AES-128", ...SAMPLE_SCHEMES.keys()];

/** Looks at every key of every playlist, the multivariant one's among them; keys that stand for several segments once. */
function forEachKey(
  { multivariant, playlists, rootPath }: Presentation,
  verdict: Verdict,
  check: (key: EncryptionKey, where: string) => void,
): void {
  const look = (where: string, keys: readonly EncryptionKey[]): void => {
    for (const key of new Set(keys)) {
      verdict.looked();
      check(key, where);
    }
  };
  look(rootPath, multivariant?.sessionKeys ?? []);
  for (const { path, keys } of playlists) look(path, keys);
}

/** A track of pictures or sound, and what its playlist says of it. */
interface TrackView {
  readonly track: TrackFacts;
  readonly container: SegmentContainer;
  /** The key of its samples, where there is one. */
  readonly key: EncryptionKey | undefined;
  readonly mediaSequenceNumber: number;
}

function forEachTrack({ playlists }: Presentation, check: (view: TrackView, where: string) => void): void {
  for (const { path, segments, playlist } of playlists) {
    for (const { content, segment, index } of segments) {
      if (content === undefined) continue;
      const { container } = content;
      const key = segment.keys.find(({ method }) => SAMPLE_SCHEMES.has(method));
      const mediaSequenceNumber = playlist.mediaSequence + index;
      for (const track of content.tracks) {
        if (track.kind !== "text") check({ track, container, key, mediaSequenceNumber }, `${path}, segment ${index}`);
      }
    }
  }
}

/** What a key tag says that samples are encrypted by; undefined where no such thing is defined. */
function schemeOf({ method }: EncryptionKey, container: SegmentContainer): string | undefined {
  if (container === "fmp4") return SAMPLE_SCHEMES.get(method);
  return method === "SAMPLE-AES" ? STREAM_PROTECTION.scheme : undefined;
}

/** The vector that a key tag means, as 32 hexadecimal digits in lower case: without IV the Media Sequence Number. */
function vectorDigits({ initializationVector }: EncryptionKey, mediaSequenceNumber: number): string {
  const digits = initializationVector?.slice(2) ?? mediaSequenceNumber.toString(16);
  return digits.padStart(32, "0").toLowerCase();
}

/** Rules of encryption, as far as playlists and sample entries tell of it. */
export const ENCRYPTION_RULES: readonly Rule[] = [
  {
    id: "key-methods",
    level: "must",
    clause: "RFC 8216bis §4.4.4.4",
    title: "METHOD of every key is AES-128, SAMPLE-AES or SAMPLE-AES-CTR; players ignore what has another.",
    check: (presentation, verdict) =>
      forEachKey(presentation, verdict, ({ method }, where) => {
        if (!METHODS.includes(method)) verdict.fail(where, `METHOD is ${method}; ${METHODS.join(", ")} are allowed.`);
      }),
  },
  {
    id: "key-format-versions",
    level: "must",
    clause: "RFC 8216bis §4.4.4.4",
    title: "KEYFORMATVERSIONS of every key is one or more whole numbers above 0 with / between them.",
    check: (presentation, verdict) =>
      forEachKey(presentation, verdict, ({ keyFormatVersions }, where) => {
        if (keyFormatVersions === undefined || /^0*[1-9]\d*(\/0*[1-9]\d*)*$/.test(keyFormatVersions)) return;
        verdict.fail(where, `KEYFORMATVERSIONS is "${keyFormatVersions}"; such as "1" or "1/2" is allowed.`);
      }),
  },
  {
    id: "sample-encryption",
    level: "must",
    clause: "RFC 8216bis §4.4.4.4",
    title:
      "Samples are encrypted under SAMPLE-AES, those of fragmented MP4 by cbcs, and by cenc under SAMPLE-AES-CTR; else not.",
    check: (presentation, verdict) =>
      forEachTrack(presentation, ({ track: { kind, protection }, container, key }, where) => {
        if (key === undefined && (protection === undefined || protection.isOptional)) return;
        verdict.looked();
        if (protection?.scheme === (key && schemeOf(key, container))) return;
        const found = protection === undefined ? "clear" : `encrypted by ${protection.scheme || "an unknown scheme"}`;
        verdict.fail(where, `The ${kind} samples are ${found}; METHOD is ${key?.method ?? "NONE"}.`);
      }),
  },
  {
    id: "sample-vector",
    level: "must",
    clause: "RFC 8216bis §4.4.4.4, §5.2",
    title: "Under SAMPLE-AES with KEYFORMAT identity, IV is the constant vector that the sample entry tells.",
    check: (presentation, verdict) =>
      forEachTrack(presentation, ({ track: { kind, protection }, key, mediaSequenceNumber }, where) => {
        const constant = protection?.constantVector;
        if (key?.method !== "SAMPLE-AES" || constant === undefined) return;
        if (key.keyFormat !== undefined && key.keyFormat !== "identity") return;
        verdict.looked();
        const digits = vectorDigits(key, mediaSequenceNumber);
        // One of 8 bytes has zeros behind it (ISO/IEC 23001-7 §9.2).
        if (digits === constant.padEnd(32, "0")) return;
        verdict.fail(where, `The vector of the ${kind} samples is 0x${constant}; the key's is 0x${digits}.`);
      }),
  },
];
