import { ReelmillError } from "../../base/errors.ts";
import { serializeBox } from "./box-writer.ts";
import type { SampleEntry } from "./movie.ts";
import { parseSampleEntry } from "./sample-entry.ts";
import { type ProtectionScheme, parseSinf, serializeSinf } from "./sinf.ts";
import type { TrackEncryption } from "./tenc.ts";

const BOX_HEADER_BYTES = 8;

/** An entry as it was before its samples were encrypted, and how they are; without a scheme where they are not. */
export interface ClearEntry {
  /** `format` is the one before; `raw` is as it stands in the file. */
  readonly entry: SampleEntry;
  readonly protection?: ProtectionScheme;
}

/**
 * The entry of a track whose samples are encrypted, `encv` or `enca`: the same with `sinf` behind it, ISO/IEC 14496-12 §8.12. Throws INTERNAL where
 * the entry is neither of pictures nor of sound.
 */
export function protectEntry(entry: SampleEntry, scheme: string, encryption: TrackEncryption): SampleEntry {
  if (entry.visual === undefined && entry.audio === undefined) {
    throw new ReelmillError("INTERNAL", `Samples of ${entry.format} are neither pictures nor sound.`);
  }
  const sinf = serializeSinf({ originalFormat: entry.format, scheme, encryption });
  const [format, handler] = entry.visual === undefined ? ["enca", "soun"] : ["encv", "vide"];
  return parseSampleEntry(serializeBox(format, entry.raw.subarray(BOX_HEADER_BYTES), sinf), handler);
}

/** Looks through `encv` and `enca`. Throws MEDIA_MALFORMED where the boxes that tell end early. */
export function clearEntry(entry: SampleEntry): ClearEntry {
  const sinf = entry.format === "encv" || entry.format === "enca" ? entry.children.get("sinf") : undefined;
  const protection = sinf && parseSinf(sinf);
  if (protection === undefined) return { entry };
  return { entry: { ...entry, format: protection.originalFormat }, protection };
}
