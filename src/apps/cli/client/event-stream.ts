/** One message of an event stream. */
export interface StreamMessage {
  /** `message` where the stream names none. */
  readonly event: string;
  /** The last id that the stream gave, this message's own included. */
  readonly id: string | undefined;
  readonly data: string;
  /** The last time to come again that the stream gave, in milliseconds; undefined: none so far. */
  readonly retryMs: number | undefined;
}

/** A sign of life that is no message, and what the stream said until then. */
export type StreamSign = Pick<StreamMessage, "id" | "retryMs"> & { readonly event: null };

/** A stream whose single message is larger than this is none. */
const MAX_MESSAGE_CHARACTERS = 64 * 1024 * 1024;

/**
 * Reads an event stream (WHATWG HTML §9.2.6), signs of life included. A message that the stream's end cuts off is left out, as
 * the specification has it. Throws RangeError where a message has no end.
 */
export async function* parseEventStream(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<StreamMessage | StreamSign, void, undefined> {
  const decoder = new TextDecoder();
  const message = createAssembler();
  let rest = "";
  for await (const chunk of chunks) {
    yield message.sign();
    const text = rest + decoder.decode(chunk, { stream: true });
    // A carriage return at the very end may be the first half of a line's end.
    const isHeldBack = text.endsWith("\r");
    const lines = (isHeldBack ? text.slice(0, -1) : text).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "") + (isHeldBack ? "\r" : "");
    if (rest.length > MAX_MESSAGE_CHARACTERS) throw new RangeError("a line of its event stream has no end");
    for (const line of lines) {
      const complete = message.add(line);
      if (complete !== undefined) yield complete;
    }
  }
}

function createAssembler(): { add(line: string): StreamMessage | StreamSign | undefined; sign(): StreamSign } {
  let event = "message";
  let id: string | undefined;
  let retryMs: number | undefined;
  let data: string[] = [];
  let characters = 0;
  const setField = (name: string, value: string): void => {
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  };
  const sign = (): StreamSign => ({ event: null, id, retryMs });
  return {
    sign,
    add: (line) => {
      if (line !== "") {
        characters += line.length;
        if (characters > MAX_MESSAGE_CHARACTERS) throw new RangeError("a message of its event stream has no end");
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        setField(name, colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, ""));
        return undefined;
      }
      const complete = data.length === 0 ? sign() : { event: event || "message", id, data: data.join("\n"), retryMs };
      event = "message";
      data = [];
      characters = 0;
      return complete;
    },
  };
}
