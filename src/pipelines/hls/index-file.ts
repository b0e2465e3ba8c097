import { openFileSource } from "../../base/file-source.ts";
import { type FragmentIndex, indexFragments, type ShownListener } from "../../media/isobmff/index-fragments.ts";

/** The fragments of an encoded file, whose samples `onShown` hears of. Throws as `indexFragments`. */
export function indexFile(path: string, onShown?: ShownListener): FragmentIndex {
  const source = openFileSource(path);
  try {
    return indexFragments(source, onShown);
  } finally {
    source.close();
  }
}
