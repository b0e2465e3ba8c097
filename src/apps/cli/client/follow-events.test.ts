import { afterEach, describe, expect, it } from "vitest";
import { createRecordingContext } from "../recording-context.fixture.ts";
import { type CannedServer, startCannedServer } from "../remote/canned-server.fixture.ts";
import { createApiClient } from "./api-client.ts";
import { followEvents } from "./follow-events.ts";

let server: CannedServer | undefined;

afterEach(() => server?.close());

describe("followEvents", () => {
  it("leaves a connection that has gone silent, and says why", async () => {
    let connections = 0;
    server = await startCannedServer({
      "GET /events": (_request, response) => {
        connections += 1;
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(connections === 1 ? "id: 3\ndata: a\n\n" : "data: b\n\n");
      },
    });
    const signal = new AbortController().signal;
    const client = createApiClient({ server: server.address, apiKey: undefined, signal });
    const reasons: string[] = [];
    const seen: string[] = [];
    const options = { idleTimeoutMs: 1500, onReconnect: (reason: Error) => void reasons.push(reason.message) };
    for await (const { data } of followEvents(client, "/events", createRecordingContext(), options)) {
      seen.push(data);
      if (data === "b") break;
    }
    expect(seen).toEqual(["a", "b"]);
    expect(reasons).toEqual([`${server.address} has been silent for too long.`]);
    expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "3"]);
  });

  it("comes again when it was told to, however often, and calls that no failure", async () => {
    let connections = 0;
    server = await startCannedServer({
      "GET /events": (_request, response) => {
        connections += 1;
        response.writeHead(200, { "content-type": "text/event-stream" });
        // Most have nothing new.
        const data = connections % 20 === 0 ? `\ndata: ${connections}` : "";
        response.end(`retry: ${connections === 1 ? 0 : 2000}\nid: ${connections}${data}\n\n`);
      },
    });
    const signal = new AbortController().signal;
    const client = createApiClient({ server: server.address, apiKey: undefined, signal });
    const pauses: number[] = [];
    const reasons: string[] = [];
    const context = { sleep: async (ms: number) => void pauses.push(ms) };
    const options = { onReconnect: (reason: Error) => void reasons.push(reason.message) };
    for await (const { data } of followEvents(client, "/events", context, options)) if (data === "40") break;
    expect(reasons).toEqual([]);
    expect(pauses).toEqual([500, ...Array.from({ length: 38 }, () => 2000)]);
    expect(server.requests.at(-1)?.headers["last-event-id"]).toBe("39");
  });
});
