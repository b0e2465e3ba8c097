/** What a store knows of an object without reading it. */
export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
  /** Names this very content: what replaces it under the key has another tag. */
  readonly tag: string;
}

/** A part of an object: from `start` on, `end` excluded, both in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A stretch of an object that is put together. */
export type ObjectPart =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** A stretch of another object, which lies in it as a whole. */
  | { readonly kind: "range"; readonly from: Pick<ObjectInfo, "key" | "bytes" | "tag">; readonly range: ByteRange };

/** Bytes of content that came from a store, went to it, and that it copied from itself. */
export interface MovedBytes {
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly copiedBytes: number;
}

/**
 * Keeps objects under keys. A key is 1 to 1024 bytes of UTF-8 in segments with `/` between them, none of them empty, `.` or `..`,
 * without control characters and backslashes. An object appears whole or not at all; one that is written again replaces the old
 * one. Every method throws OBJECT_KEY_INVALID, and STORE_UNAVAILABLE where the disk or network behind it fails for a while.
 */
export interface ObjectStore {
  /** Whether objects are lent as files where they lie, so that lending moves no bytes; else they are downloaded and uploaded. */
  readonly lendsInPlace: boolean;
  head(key: string): Promise<ObjectInfo | undefined>;
  /**
   * The bytes, all or of a range clipped to the object. Throws OBJECT_NOT_FOUND, and STORE_UNAVAILABLE where a tag is given and the
   * content is not that one.
   */
  read(key: string, range?: ByteRange, tag?: string): Promise<AsyncIterable<Uint8Array>>;
  /** Throws NO_SPACE. */
  put(key: string, content: AsyncIterable<Uint8Array>): Promise<ObjectInfo>;
  /** Takes a finished local file over: moved where both lie on one file system. Throws NO_SPACE, INPUT_NOT_FOUND. */
  putFile(key: string, path: string): Promise<ObjectInfo>;
  /** Server-side. Throws OBJECT_NOT_FOUND, NO_SPACE. */
  copy(fromKey: string, toKey: string): Promise<ObjectInfo>;
  /**
   * Puts an object together, one part behind the other: ranges of other objects are copied by the store itself, as far as it can, which
   * the result tells. Throws OBJECT_NOT_FOUND and STORE_UNAVAILABLE where the content of a range is not there any more, NO_SPACE,
   * ABORTED, RangeError for a range that does not lie in its object.
   */
  compose(
    key: string,
    parts: readonly ObjectPart[],
    signal?: AbortSignal,
  ): Promise<ObjectInfo & { readonly moved: MovedBytes }>;
  /** Up to `limit` objects whose keys begin with the prefix, in the order of `compareKeys`, those after `afterKey` alone. */
  list(prefix: string, options: { readonly limit: number; readonly afterKey?: string }): Promise<readonly ObjectInfo[]>;
  /** Nothing happens where there is none. */
  delete(key: string): Promise<void>;
  /** Lends the object as a file to be read, without a copy where the store is local. Throws OBJECT_NOT_FOUND. */
  withLocalFile<T>(key: string, use: (path: string) => Promise<T>): Promise<T>;
  /**
   * Lends a path whose last part is that of the key, with nothing there yet; what lies there when `use` is done becomes the
   * object. Where `use` throws, or leaves nothing, there is no trace. Throws NO_SPACE.
   */
  withLocalOutput<T>(key: string, use: (path: string) => Promise<T>): Promise<T>;
}
