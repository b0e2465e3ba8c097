import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** Finds timed text samples (`tx3g`, QuickTime `text`): a length, the text, then modifier boxes. */
export interface TextProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Modifier boxes of 3GPP TS 26.245 §5.17.1 and QuickTime text. */
const MODIFIERS: ReadonlySet<string> = new Set([
  "styl",
  "hlit",
  "hclr",
  "krok",
  "dlay",
  "href",
  "tbox",
  "blnk",
  "twrp",
  "encd",
  "ftab",
  "drpo",
  "drpt",
  "imag",
  "metr",
]);
const MAX_MODIFIER_BYTES = 65536;

/**
 * A probe for timed text. Evidence comes from valid UTF-8 (or UTF-16 after a byte order mark) and from modifier boxes.
 * Eight bytes after the text must be visible to know whether a modifier follows; `hasModifiers` false (no sample of a
 * reference had any) spares that.
 */
export function createTextProbe(options: { readonly hasModifiers?: boolean } = {}): TextProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      if (visibleBytes < 2) return { kind: "more", neededBytes: 2 };
      const textBytes = ((bytes[startIndex] ?? 0) << 8) | (bytes[startIndex + 1] ?? 0);
      const shownEnd = Math.min(endIndex, startIndex + 2 + textBytes);
      const textBits = judgeText(bytes, startIndex + 2, shownEnd);
      if (textBits === undefined) return NO_PACKET;
      let sizeBytes = 2 + textBytes;
      let evidenceBits = textBytes === 0 ? 4 : textBits;
      for (;;) {
        if (options.hasModifiers === false && visibleBytes >= sizeBytes) break;
        if (visibleBytes < sizeBytes + 8) return { kind: "more", neededBytes: sizeBytes + 8 };
        const modifierBytes = modifierSizeBytes(bytes, startIndex + sizeBytes);
        if (modifierBytes === 0) break;
        sizeBytes += modifierBytes;
        evidenceBits += 40;
      }
      return { kind: "packet", sizeBytes, evidenceBits, isSync: true };
    },
  };
}

/** Length of the modifier box at `index`, 0 where none stands there. */
function modifierSizeBytes(bytes: Uint8Array, index: number): number {
  const sizeBytes =
    (bytes[index] ?? 0) * 0x1000000 +
    (((bytes[index + 1] ?? 0) << 16) | ((bytes[index + 2] ?? 0) << 8) | (bytes[index + 3] ?? 0));
  if (sizeBytes < 8 || sizeBytes > MAX_MODIFIER_BYTES) return 0;
  return MODIFIERS.has(String.fromCharCode(...bytes.subarray(index + 4, index + 8))) ? sizeBytes : 0;
}

/**
 * Evidence of text: a printable ASCII byte is one of 97 of 256, a UTF-8 sequence costs random bytes more. Undefined where
 * the bytes are no text; a sequence cut by the visible end is let pass.
 */
function judgeText(bytes: Uint8Array, startIndex: number, endIndex: number): number | undefined {
  const mark = endIndex - startIndex >= 2 ? ((bytes[startIndex] ?? 0) << 8) | (bytes[startIndex + 1] ?? 0) : 0;
  if (mark === 0xfeff || mark === 0xfffe) return 16;
  let evidenceBits = 0;
  let index = startIndex;
  while (index < endIndex) {
    const lead = bytes[index] ?? 0;
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0;
    if (length === 0 || (lead < 0x20 && lead !== 9 && lead !== 10 && lead !== 13) || lead === 0x7f) return undefined;
    for (let i = 1; i < length && index + i < endIndex; i++)
      if (((bytes[index + i] ?? 0) & 0xc0) !== 0x80) return undefined;
    evidenceBits += length === 1 ? 1.3 : 1.5 * length;
    index += length;
  }
  return evidenceBits;
}
