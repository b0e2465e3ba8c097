import type { BoxReader } from "./box-reader.ts";
import { FieldWriter, serializeBox } from "./box-writer.ts";

/** The file type, ISO/IEC 14496-12 §4.3. */
export interface FileType {
  readonly majorBrand: string;
  readonly minorVersion: number;
  readonly compatibleBrands: readonly string[];
}

/** Reads `ftyp` or `styp`. Throws MEDIA_MALFORMED where it ends before its minor version. */
export function parseFtyp(box: BoxReader): FileType {
  const majorBrand = box.fourcc();
  const minorVersion = box.u32();
  const compatibleBrands: string[] = [];
  while (box.bytesLeft >= 4 && compatibleBrands.length < 256) compatibleBrands.push(box.fourcc());
  return { majorBrand, minorVersion, compatibleBrands };
}

/** Writes `ftyp`. */
export function serializeFtyp(fileType: FileType): Uint8Array {
  const fields = new FieldWriter(8 + fileType.compatibleBrands.length * 4);
  fields.fourcc(fileType.majorBrand);
  fields.u32(fileType.minorVersion);
  for (const brand of fileType.compatibleBrands) fields.fourcc(brand);
  return serializeBox("ftyp", fields.finish());
}
