import { type ByteSource, readExactly } from "../../media/bytes/byte-source.ts";
import { triage } from "../../repair/triage.ts";

/** Containers that ffmpeg mends, because the engine does not know them yet. */
export type RemuxedContainer = "matroska" | "avi" | "mpegts";

const SNIFFED_BYTES = 12;
const BOX_TYPE = /^(ftyp|moov|mdat|free|wide|skip|moof|uuid|pnot|styp|sidx)$/;

/** Tells a container for the remux by its content; undefined for all that is the engine's. Never throws on content. */
export function remuxedContainerOf(source: ByteSource): RemuxedContainer | undefined {
  const head = readExactly(source, 0, SNIFFED_BYTES);
  // Nearly every file ends here; the full look reads its index.
  if (head === undefined || BOX_TYPE.test(String.fromCharCode(...head.subarray(4, 8)))) return undefined;
  const { container } = triage(source);
  return container === "matroska" || container === "avi" || container === "mpegts" ? container : undefined;
}
