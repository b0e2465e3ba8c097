import { openBoxes } from "./box-reader.ts";
import { FieldWriter, serializeBox, serializeFullBox } from "./box-writer.ts";
import { parseTenc, serializeTenc, type TrackEncryption } from "./tenc.ts";

/** Version 1.0 of a scheme, ISO/IEC 23001-7 §4. */
const SCHEME_VERSION = 0x1_0000;

/** How a sample entry came to be an encrypted one, ISO/IEC 14496-12 §8.12. */
export interface ProtectionScheme {
  /** `frma`: the entry's fourcc before. */
  readonly originalFormat: string;
  /** `schm`: `cbcs`, `cenc`, …; empty where it is not there. */
  readonly scheme: string;
  /** `tenc`; undefined where it is not there or says that nothing is encrypted. */
  readonly encryption?: TrackEncryption;
}

/** Reads the payload of `sinf`; undefined where `frma` is missing. Throws MEDIA_MALFORMED where a box in it ends early. */
export function parseSinf(payload: Uint8Array): ProtectionScheme | undefined {
  const boxes = new Map(openBoxes(payload, "sinf").map((box) => [box.type, box]));
  const frma = boxes.get("frma");
  if (frma === undefined) return undefined;
  const schm = boxes.get("schm");
  schm?.versionAndFlags();
  const scheme = schm?.fourcc() ?? "";
  const children = boxes.get("schi")?.children() ?? [];
  const tenc = children.find(({ type }) => type === "tenc");
  const encryption = tenc && parseTenc(tenc);
  return { originalFormat: frma.fourcc(), scheme, ...(encryption === undefined ? {} : { encryption }) };
}

/** Writes `sinf` with `frma`, `schm` and `schi`. */
export function serializeSinf({ originalFormat, scheme, encryption }: ProtectionScheme): Uint8Array {
  const original = new FieldWriter(4);
  original.fourcc(originalFormat);
  const type = new FieldWriter(8);
  type.fourcc(scheme);
  type.u32(SCHEME_VERSION);
  return serializeBox(
    "sinf",
    serializeBox("frma", original.finish()),
    serializeFullBox("schm", 0, 0, type.finish()),
    ...(encryption === undefined ? [] : [serializeBox("schi", serializeTenc(encryption))]),
  );
}
