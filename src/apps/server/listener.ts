import type { ServerResponse } from "node:http";

/** One stream of server-sent events. */
export interface Listener {
  /** Whether the client has taken what was sent before. */
  readonly isReady: boolean;
  readonly isClosed: boolean;
  /** Sends whole events; only while it is ready. */
  send(frames: Buffer): void;
  /** Ends the stream; the client comes back by itself. */
  close(): void;
}

/** What becomes of a listener. */
export interface ListenerOptions {
  readonly stallMs: number;
  /** It may be sent more. */
  readonly onReady: () => void;
  readonly onClosed: () => void;
}

/**
 * Begins a stream on a response. Nothing is sent to a client that has not taken what was sent before, so that a slow one costs
 * no memory; one that takes nothing for `stallMs` is dropped.
 */
export function openListener(response: ServerResponse, options: ListenerOptions): Listener {
  let isReady = true;
  let isClosed = false;
  let stall: NodeJS.Timeout | undefined;
  const closed = (): void => {
    if (isClosed) return;
    isClosed = true;
    clearTimeout(stall);
    options.onClosed();
  };
  response.once("close", closed);
  // Written to a connection that has just gone; "close" follows.
  response.on("error", closed);
  response.on("drain", () => {
    clearTimeout(stall);
    isReady = true;
    if (!isClosed) options.onReady();
  });
  response.flushHeaders();
  return {
    get isReady() {
      return isReady && !isClosed;
    },
    get isClosed() {
      return isClosed;
    },
    send: (frames) => {
      if (isClosed || response.write(frames)) return;
      isReady = false;
      stall = setTimeout(() => response.destroy(), options.stallMs);
    },
    close: () => {
      response.end();
      // What the client does not take any more must not hold the server up.
      if (!isReady) response.destroy();
    },
  };
}

/** One event of a stream (WHATWG HTML §9.2); `data` must hold no line breaks, as JSON does not. */
export function formatEvent(event: string, data: string, id?: number): string {
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`;
}
