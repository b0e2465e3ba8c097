/** Where a box stands in a file; nothing is checked but that it fits. */
export interface BoxPlace {
  readonly type: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

const CONTAINERS: ReadonlySet<string> = new Set([
  ...["moov", "trak", "mdia", "minf", "stbl", "edts", "dinf", "mvex", "moof", "traf", "mfra", "udta", "gmhd", "wave"],
]);

/**
 * All boxes of an intact file, outer ones first, `stsd` entries and what is in them included. Empty where the bytes
 * are no boxes. This is the fuzzer's own walk, so that a fault of the parser under test cannot blind it.
 */
export function mapBoxes(bytes: Uint8Array): BoxPlace[] {
  const places: BoxPlace[] = [];
  walk(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length, places);
  return places;
}

function walk(view: DataView, start: number, end: number, places: BoxPlace[]): void {
  for (let offset = start; offset + 8 <= end; ) {
    const sizeBytes = view.getUint32(offset) || end - offset;
    if (sizeBytes < 8 || offset + sizeBytes > end) return;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((index) => view.getUint8(offset + index)));
    if (!/^[\x20-\x7e\xa9]{4}$/.test(type)) return;
    places.push({ type, offset, sizeBytes });
    if (CONTAINERS.has(type)) walk(view, offset + 8, offset + sizeBytes, places);
    else if (type === "stsd") walkEntries(view, offset + 16, offset + sizeBytes, places);
    offset += sizeBytes;
  }
}

/** Sample entries: their own fields are 78 bytes (pictures) or 28 and more (sound), then boxes follow. */
function walkEntries(view: DataView, start: number, end: number, places: BoxPlace[]): void {
  const first = places.length;
  walk(view, start, end, places);
  for (const entry of places.slice(first)) {
    for (const fieldBytes of [78, 28, 44, 64]) {
      const before = places.length;
      walk(view, entry.offset + 8 + fieldBytes, entry.offset + entry.sizeBytes, places);
      if (places.length > before) break;
    }
  }
}
