import type { BoxReader } from "./box-reader.ts";
import { serializeBox } from "./box-writer.ts";

/**
 * A container with the boxes at `path` below it, such as `trak`, `mdia`, replaced by what `replace` makes of them; sizes on the way follow. All on the
 * path but its end are containers of nothing but boxes.
 */
export function replaceBoxes(
  container: BoxReader,
  [type, ...rest]: readonly string[],
  replace: (box: BoxReader) => Uint8Array,
): Uint8Array {
  const children = container.children().map((child) => {
    if (child.type !== type) return child.copy();
    return rest.length === 0 ? replace(child) : replaceBoxes(child, rest, replace);
  });
  return serializeBox(container.type, ...children);
}
