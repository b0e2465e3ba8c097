import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import type { JpegHeaders } from "./jpeg-segments.ts";
import { createJpegView, type JpegView, viewByte } from "./jpeg-view.ts";
import { type FieldScan, scanField } from "./scan-field.ts";

/** What is known of a track's JPEG packets; a field left out is not checked. */
export interface MjpegConstraints {
  readonly widthPixels?: number;
  /** Lines of the frame; a field of two has half of them. */
  readonly heightPixels?: number;
  /** JPEG images per packet; left out, the AVI1 segment decides. */
  readonly fieldsPerSample?: 1 | 2;
  /** A packet is filled up with 00 or FF to a multiple of this, 1 (the default) to 4096. */
  readonly alignmentBytes?: number;
  /** Packets longer than this are refused; 64 MiB by default. */
  readonly maxSizeBytes?: number;
}

/** Finds Motion JPEG packets: one JPEG image, or the two fields of a frame. All are sync samples. */
export interface MjpegProbe {
  /**
   * What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. The end of the image
   * must be visible: answers `more` ask for twice as much each time.
   */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
  /**
   * The same at an absolute offset of a window, which is moved along in one pass. `more` here means that the source
   * ends within the packet.
   */
  probeWindow(window: JpegView, offset: number): PacketProbe;
}

const DEFAULT_MAX_SIZE_BYTES = 64 * 1024 * 1024;
/** Filling that may stand between the two fields of a packet. */
const MAX_FIELD_GAP_BYTES = 64;
/** A long run of zeros among the coded data is a hole in the file far more often than a picture. */
const ZERO_RUN_EVIDENCE_BITS = 12;

/** A probe for Motion JPEG (ITU-T T.81 Annex B; QuickTime Motion JPEG A). */
export function createMjpegProbe(constraints: MjpegConstraints = {}): MjpegProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      const answer = probePacket(createJpegView(bytes, endIndex), startIndex, constraints);
      if (answer.kind !== "more") return answer;
      const visibleBytes = endIndex - startIndex;
      return visibleBytes < 4096
        ? { kind: "more", neededBytes: 8192 }
        : { kind: "more", neededBytes: visibleBytes * 2 };
    },
    probeWindow: (window, offset) => probePacket(window, offset, constraints),
  };
}

/** Width and lines of the image at `startIndex`; undefined where no whole image is visible. */
export function readJpegSize(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
): { readonly widthPixels: number; readonly heightPixels: number } | undefined {
  const scan = scanField(createJpegView(bytes, endIndex), startIndex, endIndex);
  if (scan.kind !== "field") return undefined;
  return { widthPixels: scan.headers.widthPixels, heightPixels: scan.headers.heightPixels };
}

/**
 * What the samples of a reference have in common: size, images per sample, and the least filling (a power of two up to
 * 4096) that explains all their lengths. Alignment is left out where none does.
 */
export function learnMjpegConstraints(samples: Iterable<Uint8Array>): MjpegConstraints {
  let known: { widthPixels: number; fieldsPerSample: 1 | 2 } | undefined;
  let alignments = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
  for (const sample of samples) {
    const view = createJpegView(sample, sample.length);
    const first = scanField(view, 0, sample.length);
    if (first.kind !== "field") continue;
    const second = scanField(view, skipFill(view, first.endOffset), sample.length);
    const hasTwo = second.kind === "field" && second.headers.widthPixels === first.headers.widthPixels;
    const endOffset = hasTwo ? second.endOffset : first.endOffset;
    known ??= { widthPixels: first.headers.widthPixels, fieldsPerSample: hasTwo ? 2 : 1 };
    alignments = alignments.filter((bytes) => Math.ceil(endOffset / bytes) * bytes === sample.length);
  }
  const [alignmentBytes] = alignments;
  return { ...known, ...(alignmentBytes === undefined ? {} : { alignmentBytes }) };
}

function probePacket(view: JpegView, offset: number, constraints: MjpegConstraints): PacketProbe {
  const limitOffset = offset + (constraints.maxSizeBytes ?? DEFAULT_MAX_SIZE_BYTES);
  const first = scanField(view, offset, limitOffset);
  if (first.kind !== "field") return unfinished(first, offset);
  if (!fits(first.headers, constraints)) return NO_PACKET;
  let endOffset = first.endOffset;
  let evidenceBits = first.headers.evidenceBits + sizeEvidence(constraints);
  let hasZeroRun = first.hasZeroRun;
  if ((constraints.fieldsPerSample ?? (first.headers.isFieldOfTwo ? 2 : 1)) === 2) {
    const second = scanField(view, skipFill(view, endOffset), limitOffset);
    if (second.kind === "more") return unfinished(second, offset);
    if (second.kind === "field" && second.headers.widthPixels === first.headers.widthPixels) {
      endOffset = second.endOffset;
      evidenceBits += second.headers.evidenceBits;
      hasZeroRun ||= second.hasZeroRun;
    }
  }
  return {
    kind: "packet",
    sizeBytes: paddedEnd(view, offset, endOffset, constraints.alignmentBytes ?? 1) - offset,
    evidenceBits: hasZeroRun ? ZERO_RUN_EVIDENCE_BITS : evidenceBits,
    isSync: true,
  };
}

function unfinished(scan: FieldScan, offset: number): PacketProbe {
  return scan.kind === "more" ? { kind: "more", neededBytes: scan.neededOffset - offset } : NO_PACKET;
}

function fits(headers: JpegHeaders, constraints: MjpegConstraints): boolean {
  const { widthPixels, heightPixels } = constraints;
  if (widthPixels !== undefined && widthPixels !== headers.widthPixels) return false;
  if (heightPixels === undefined || headers.heightPixels === 0) return true;
  return headers.heightPixels === heightPixels || headers.heightPixels === Math.ceil(heightPixels / 2);
}

function sizeEvidence(constraints: MjpegConstraints): number {
  return (constraints.widthPixels === undefined ? 0 : 16) + (constraints.heightPixels === undefined ? 0 : 15);
}

/** Where the next image may start: past filling of 00 or FF, of which FF before FF D8 belongs to the marker. */
function skipFill(view: JpegView, offset: number): number {
  const visible = view.load(offset, MAX_FIELD_GAP_BYTES + 4);
  for (let gap = 0; gap < MAX_FIELD_GAP_BYTES && gap + 1 < visible; gap++) {
    const byte = viewByte(view, offset + gap);
    if (byte === 0xff && viewByte(view, offset + gap + 1) === 0xd8) return offset + gap;
    if (byte !== 0 && byte !== 0xff) break;
  }
  return offset;
}

/** The end with its filling, where the bytes up to the next multiple are filling as far as they can be seen. */
function paddedEnd(view: JpegView, startOffset: number, endOffset: number, alignmentBytes: number): number {
  const paddingBytes = (alignmentBytes - ((endOffset - startOffset) % alignmentBytes)) % alignmentBytes;
  const visible = Math.min(paddingBytes, view.load(endOffset, paddingBytes));
  for (let i = 0; i < visible; i++) {
    const byte = viewByte(view, endOffset + i);
    if (byte !== 0 && byte !== 0xff) return endOffset;
  }
  return endOffset + paddingBytes;
}
