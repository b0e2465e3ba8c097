import { type BoxReader, openBox } from "./box-reader.ts";
import { parseCslg } from "./cslg.ts";
import { parseElst } from "./elst.ts";
import { parseFtyp } from "./ftyp.ts";
import { parseHdlr } from "./hdlr.ts";
import { parseMdhd } from "./mdhd.ts";
import { parseMvhd } from "./mvhd.ts";
import { parseTfdt } from "./tfdt.ts";
import { parseTfhd } from "./tfhd.ts";
import { parseTkhd } from "./tkhd.ts";
import { parseTrex } from "./trex.ts";
import { parseTrun } from "./trun.ts";

/** Entry counts at the start of a FullBox. */
const COUNTED: readonly string[] = ["stsd", "stts", "ctts", "stss", "stps", "stsc", "stco", "co64", "dref"];
const DESCRIBERS: Readonly<Record<string, (box: BoxReader) => Readonly<Record<string, unknown>>>> = {
  ftyp: describeBrands,
  styp: describeBrands,
  mvhd: (box) => {
    const { timescale, durationTicks, nextTrackId } = parseMvhd(box);
    return { timescale, durationTicks, nextTrackId };
  },
  tkhd: (box) => {
    const { trackId, flags, durationTicks, tail } = parseTkhd(box);
    const view = new DataView(tail.buffer, tail.byteOffset);
    const widthPixels = view.getUint32(52) / 0x1_0000;
    return { trackId, flags, durationTicks, widthPixels, heightPixels: view.getUint32(56) / 0x1_0000 };
  },
  mdhd: (box) => {
    const { timescale, durationTicks } = parseMdhd(box);
    return { timescale, durationTicks };
  },
  hdlr: (box) => ({ handlerType: parseHdlr(box).handlerType }),
  elst: (box) => ({
    edits: parseElst(box)
      .slice(0, 8)
      .map((edit) => `${edit.durationTicks}@${edit.mediaTimeTicks}x${edit.rate}`)
      .join(","),
  }),
  stsz: (box) => {
    box.versionAndFlags();
    return { sizeBytes: box.u32(), samples: box.u32() };
  },
  stz2: (box) => {
    box.versionAndFlags();
    return { fieldBits: box.u32() & 0xff, samples: box.u32() };
  },
  cslg: (box) => ({ ...parseCslg(box) }),
  trex: (box) => ({ ...parseTrex(box) }),
  mfhd: (box) => {
    box.versionAndFlags();
    return { sequence: box.u32() };
  },
  tfhd: (box) => ({ ...parseTfhd(box) }),
  tfdt: (box) => ({ baseDecodeTimeTicks: parseTfdt(box) }),
  trun: (box) => {
    const { sampleCount, dataOffsetBytes } = parseTrun(box);
    return { samples: sampleCount, dataOffsetBytes };
  },
};

function describeBrands(box: BoxReader): Readonly<Record<string, unknown>> {
  const { majorBrand, minorVersion, compatibleBrands } = parseFtyp(box);
  return { majorBrand, minorVersion, compatibleBrands: compatibleBrands.join(",") };
}

/**
 * Key fields of a box as `name=value` pairs, or an empty text where none are known. Reads through a cursor of its own.
 * Throws MEDIA_MALFORMED where the box is too short for its fields.
 */
export function describeBox(box: BoxReader): string {
  const own = openBox(box.bytes.subarray(box.headerIndex, box.endIndex), box.offsetBytes);
  const describer = DESCRIBERS[box.type];
  if (describer) return pairs(describer(own));
  if (!COUNTED.includes(box.type)) return "";
  own.versionAndFlags();
  const entries = own.u32();
  if (box.type !== "stsd") return pairs({ entries });
  const formats = own
    .children()
    .slice(0, 8)
    .map((child) => child.type);
  return pairs({ entries, formats: formats.join(",") });
}

function pairs(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}
