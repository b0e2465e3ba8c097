/** A store as an XMLHttpRequest of a browser sees it, as far as uploads use that. */
export interface FakeStore {
  /** What was written, by its link. */
  readonly stored: Map<string, string>;
  /** Links whose requests never end. */
  readonly stuck: Set<string>;
  /** Statuses of the next answers by link; 0 for a connection that breaks. */
  readonly upset: Map<string, number[]>;
  /** What stands for XMLHttpRequest. */
  readonly Request: new () => unknown;
}

/** Creates one that has nothing. */
export function createFakeStore(): FakeStore {
  const store = { stored: new Map<string, string>(), stuck: new Set<string>(), upset: new Map<string, number[]>() };
  class Request {
    status = 200;
    readonly upload: { onprogress?: (event: { readonly loaded: number }) => void } = {};
    onload?: () => void;
    onabort?: () => void;
    onerror?: () => void;
    #url = "";
    open(_method: string, url: string): void {
      this.#url = url;
    }
    setRequestHeader(): void {}
    getResponseHeader(): string {
      return `tag ${this.#url}`;
    }
    abort(): void {
      this.onabort?.();
    }
    async send(body: Blob): Promise<void> {
      const text = await body.text();
      this.upload.onprogress?.({ loaded: 1 });
      if (store.stuck.has(this.#url)) return;
      this.status = store.upset.get(this.#url)?.shift() ?? 200;
      if (this.status === 0) return this.onerror?.();
      if (this.status === 200) store.stored.set(this.#url, text);
      this.onload?.();
    }
  }
  return { ...store, Request };
}
