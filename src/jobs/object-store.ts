/** What a store knows of an object without reading it. */
export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

/** A part of an object: from `start` on, `end` excluded, both in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Keeps objects under keys. A key is 1 to 1024 bytes of UTF-8 in segments with `/` between them, none of them empty, `.` or `..`,
 * without control characters and backslashes. An object appears whole or not at all; one that is written again replaces the old
 * one. Every method throws OBJECT_KEY_INVALID, and STORE_UNAVAILABLE where the disk or network behind it fails for a while.
 */
export interface ObjectStore {
  head(key: string): Promise<ObjectInfo | undefined>;
  /** The bytes, all or of a range clipped to the object. Throws OBJECT_NOT_FOUND. */
  read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array>>;
  /** Throws NO_SPACE. */
  put(key: string, content: AsyncIterable<Uint8Array>): Promise<ObjectInfo>;
  /** Takes a finished local file over: moved where both lie on one file system. Throws NO_SPACE, INPUT_NOT_FOUND. */
  putFile(key: string, path: string): Promise<ObjectInfo>;
  /** Server-side. Throws OBJECT_NOT_FOUND, NO_SPACE. */
  copy(fromKey: string, toKey: string): Promise<ObjectInfo>;
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
