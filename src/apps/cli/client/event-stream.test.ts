import { describe, expect, it } from "vitest";
import { parseEventStream, type StreamMessage } from "./event-stream.ts";

async function parse(chunks: readonly (string | Uint8Array)[]): Promise<readonly StreamMessage[]> {
  const bytes = (async function* () {
    for (const chunk of chunks) yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
  })();
  const found: StreamMessage[] = [];
  for await (const message of parseEventStream(bytes)) if (message.event !== null) found.push(message);
  return found;
}

describe("parseEventStream", () => {
  it("reads events, ids that stay, comments, several data lines", async () => {
    const text = ": hello\nevent: event\nid: 7\ndata: {\ndata: }\n\nevent: job\ndata:x\n\n";
    expect(await parse([text])).toEqual([
      { event: "event", id: "7", data: "{\n}" },
      { event: "job", id: "7", data: "x" },
    ]);
  });

  it("reads when to come again, and nothing else that stands in its place", async () => {
    const text = "retry: soon\n\ndata: 1\n\nretry: 2000\nid: 4\n\ndata: 2\n\n";
    expect(await parse([text])).toEqual([
      { event: "message", data: "1" },
      { event: "message", id: "4", data: "2", retryMs: 2000 },
    ]);
  });

  it("gives the same however the bytes are cut, and whatever ends a line", async () => {
    const bytes = new TextEncoder().encode("event: job\r\ndata: ä€😀\r\n\r\ndata: 2\r\rdata: 3\n\n");
    const whole = await parse([bytes]);
    expect(whole.map(({ data }) => data)).toEqual(["ä€😀", "2", "3"]);
    expect(await parse([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it("leaves out a message that is cut off, and one without data", async () => {
    expect(await parse(["event: job\n\nevent: job\ndata: {"])).toEqual([]);
  });
});
