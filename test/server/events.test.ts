import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/apps/server/limits.ts";
import { startServer, type TestServer } from "../../src/apps/server/server.fixture.ts";
import { VIEWS } from "../../src/apps/server/view-schemas.ts";

let server: TestServer;
const opened: Socket[] = [];
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await server.stop();
});

const submit = async (text = "a"): Promise<string> =>
  VIEWS.job.parse(await (await server.post("/v1/jobs", { pipeline: "echo", params: { text } })).json()).id;

interface Sent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** Opens a stream and gives what has come of it so far. */
const listen = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
  const lines = Object.entries({ host: "localhost", accept: "text/event-stream", ...headers });
  const socket = connect(server.port, "127.0.0.1");
  opened.push(socket);
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  let isClosed = false;
  socket.on("close", () => {
    isClosed = true;
  });
  // HTTP/1.0: the stream comes without chunk lengths in between.
  socket.write(`GET ${path} HTTP/1.0\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  const listener = {
    socket,
    isClosed: () => isClosed,
    head: () => text.split("\r\n\r\n", 1)[0] ?? "",
    sent: (): readonly Sent[] =>
      text.split("\n\n").flatMap((block) => {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
        const [event, data] = [field("event"), field("data")];
        return event === undefined || data === undefined ? [] : [{ event, data, id: field("id") }];
      }),
  };
  await expect.poll(() => text).toContain(": keep-alive");
  return listener;
};

const types = (sent: readonly Sent[]): readonly string[] =>
  sent.filter(({ event }) => event === "event").map(({ data }) => VIEWS.event.parse(JSON.parse(data)).type);

describe("a job's stream", () => {
  it("tells the job and its events at once, then each change", async () => {
    const id = await submit();
    const listener = await listen(`/v1/jobs/${id}/events`);
    expect(listener.head()).toMatch(/content-type: text\/event-stream/);
    expect(listener.head()).toMatch(/cache-control: no-store/);
    await expect.poll(() => types(listener.sent())).toEqual(["job.queued"]);
    await server.post(`/v1/jobs/${id}/cancel`);
    await expect.poll(() => types(listener.sent())).toEqual(["job.queued", "job.cancelled"]);
    await expect
      .poll(() => listener.sent().flatMap(({ event, data }) => (event === "job" ? [JSON.parse(data).status] : [])))
      .toEqual(["queued", "cancelled"]);
    for (const { event, data } of listener.sent()) if (event === "job") VIEWS.job.parse(JSON.parse(data));
  });

  it("hears of changes that other processes make", async () => {
    const id = await submit();
    const listener = await listen(`/v1/jobs/${id}/events`);
    await server.store.update(id, () => ({ status: "running", events: [{ type: "job.started" }] }));
    await expect.poll(() => types(listener.sent())).toEqual(["job.queued", "job.started"]);
  });

  it("goes on behind the last event that the client had", async () => {
    const id = await submit();
    const first = await listen(`/v1/jobs/${id}/events`);
    await expect.poll(() => types(first.sent())).toEqual(["job.queued"]);
    const last = first.sent().find(({ event }) => event === "event")?.id ?? "";
    first.socket.destroy();
    await server.post(`/v1/jobs/${id}/cancel`);
    const again = await listen(`/v1/jobs/${id}/events`, { "last-event-id": last });
    await expect.poll(() => again.sent().some(({ event }) => event === "job")).toBe(true);
    expect(types(again.sent())).toEqual(["job.cancelled"]);
    const behind = await listen(`/v1/jobs/${id}/events?after=${last}`);
    await expect.poll(() => types(behind.sent())).toEqual(["job.cancelled"]);
  });

  it("tells a long history in order, and once", async () => {
    const id = await submit();
    for (let count = 0; count < 450; count += 1) {
      await server.store.update(id, () => ({ events: [{ type: "task.started", data: { count } }] }));
    }
    const listener = await listen(`/v1/jobs/${id}/events`);
    await expect.poll(() => types(listener.sent()).length).toBe(451);
    const ids = listener.sent().flatMap(({ id: seq }) => (seq === undefined ? [] : [Number(seq)]));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  });
});

describe("the stream of all jobs", () => {
  it("tells changes alone, and goes on where the client was", async () => {
    await submit("before");
    const listener = await listen("/v1/events");
    const id = await submit("after");
    await expect.poll(() => listener.sent().map(({ data }) => JSON.parse(data).id)).toContain(id);
    expect(listener.sent().map(({ data }) => JSON.parse(data).params.text)).toEqual(["after"]);
    const last = listener.sent().at(-1)?.id ?? "";
    listener.socket.destroy();
    await submit("missed");
    const again = await listen("/v1/events", { "last-event-id": last });
    await expect.poll(() => again.sent().map(({ data }) => JSON.parse(data).params.text)).toEqual(["missed"]);
  });

  it.each(["99999999999", "x", "-1"])("takes the place %s of another database for none", async (place) => {
    await submit("before");
    const listener = await listen("/v1/events", { "last-event-id": place });
    await submit("after");
    await expect.poll(() => listener.sent().map(({ data }) => JSON.parse(data).params.text)).toEqual(["after"]);
  });

  it("tells the watch folder when it changes", async () => {
    const status = {
      isRunning: true,
      isPaused: false,
      reason: "",
      fault: "",
      readyFolder: "/r",
      exportFolder: "/e",
      quarantineFolder: "/q",
      currentReference: null as string | null,
      knownFiles: [],
      counters: { scans: 0 },
    };
    await server.stop();
    server = await startServer({
      watch: {
        status: () => status,
        stats: () => ({}),
        scanNow: async () => undefined,
        repairNow: async () => undefined,
      },
    });
    const listener = await listen("/v1/events");
    status.currentReference = "a.mp4";
    await expect.poll(() => listener.sent().map(({ event }) => event)).toEqual(["watch"]);
    const [told] = listener.sent();
    expect(VIEWS.watch.parse(JSON.parse(told?.data ?? ""))).toMatchObject({ currentReference: "a.mp4" });
  });

  it("drops a client that takes nothing, costs no memory for it, and goes on with the others", async () => {
    await server.stop();
    server = await startServer({ limits: { ...DEFAULT_LIMITS, listenerStallMs: 300 } });
    const slow = await listen("/v1/events");
    slow.socket.pause();
    const quick = await listen("/v1/events");
    const text = "x".repeat(90_000);
    let sent = 0;
    // The sizes of the buffers below are the system's business: more is sent until they are full.
    await expect
      .poll(
        async () => {
          await submit(text + sent);
          sent += 1;
          return slow.isClosed() || (await listeners()) === 1;
        },
        { timeout: 60_000, interval: 1 },
      )
      .toBe(true);
    await submit("last");
    await expect.poll(() => quick.sent().some(({ data }) => data.includes('"text":"last"'))).toBe(true);
  });

  it("refuses more listeners than allowed, and ends all streams with the server", async () => {
    await server.stop();
    server = await startServer({ limits: { ...DEFAULT_LIMITS, listeners: 1 } });
    const listener = await listen("/v1/events");
    const refused = await server.ask("/v1/events");
    expect([refused.status, VIEWS.problem.parse(await refused.json()).code]).toEqual([429, "RATE_LIMITED"]);
    await server.app.close();
    await expect.poll(listener.isClosed).toBe(true);
  });
});

const listeners = async (): Promise<number> => {
  const text = await (await server.ask("/metrics")).text();
  return Number(/^reelmill_event_listeners (\d+)$/m.exec(text)?.[1]);
};
