import { openFileSource } from "../../base/file-source.ts";
import { type IndexedSamples, indexFragments } from "../../media/isobmff/index-fragments.ts";

/** The fragments and samples of an encoded file. Throws as `indexFragments`. */
export function indexFile(path: string): IndexedSamples {
  const source = openFileSource(path);
  try {
    return indexFragments(source);
  } finally {
    source.close();
  }
}
