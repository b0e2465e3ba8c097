import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeFullBox } from "./box-writer.ts";

/** The handler reference, ISO/IEC 14496-12 §8.4.3. */
export interface HandlerReference {
  /** QuickTime's component type, `mhlr` or `dhlr`; four NULs in ISO files. */
  readonly componentType: string;
  /** `vide`, `soun`, `meta`, … */
  readonly handlerType: string;
  /** QuickTime's manufacturer, flags and mask (12 bytes), reserved in ISO files. */
  readonly reserved: Uint8Array;
  /** The name as it stands: NUL-terminated in ISO files, after a length byte in QuickTime's. */
  readonly name: Uint8Array;
}

/** Reads `hdlr`. Throws MEDIA_MALFORMED where it ends before its name. */
export function parseHdlr(box: BoxReader): HandlerReference {
  box.versionAndFlags();
  const componentType = box.fourcc();
  const handlerType = box.fourcc();
  return { componentType, handlerType, reserved: box.take(12).slice(), name: box.rest().slice() };
}

/** Writes `hdlr`. */
export function serializeHdlr(handler: HandlerReference): Uint8Array {
  const fields = new FieldWriter(20 + handler.name.length);
  fields.fourcc(handler.componentType);
  fields.fourcc(handler.handlerType);
  fields.bytes(handler.reserved);
  fields.bytes(handler.name);
  return serializeFullBox("hdlr", 0, 0, fields.finish());
}
