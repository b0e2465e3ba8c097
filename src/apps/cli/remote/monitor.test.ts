import { afterEach, describe, expect, it } from "vitest";
import { type CannedServer, cannedJob, cannedQueue, runAgainst, startCannedServer } from "./canned-server.fixture.ts";

const STATS = {
  jobs: { byStatus: { queued: 3, running: 1 }, endedLastDay: 12 },
  queues: [cannedQueue()],
  workers: { desired: 2, running: 2, busy: 1, max: 4 },
  uptimeSeconds: 61,
};

let server: CannedServer;

afterEach(() => server?.close());

async function start(onLook: () => unknown = () => STATS): Promise<void> {
  server = await startCannedServer({
    "GET /v1/stats": (_request, response) => onLook() ?? void response.destroy(),
    "GET /v1/jobs": () => ({ jobs: [cannedJob({ pipeline: "\u001b[31mrepair" })], nextCursor: null }),
  });
}

describe("monitor", () => {
  it("looks once: workers, queues, the alarm of dead letters, running jobs with what is left", async () => {
    await start();
    const { exitCode, output } = await runAgainst(server, ["monitor", "--once"]);
    expect(exitCode).toBe(0);
    expect(output).toContain("workers  1 busy, 2 running, 2 desired, 4 at most\n");
    expect(output).toContain("ALARM    2 dead letters");
    expect(output).toMatch(/^repair +3 +1 +2 {2}open$/m);
    expect(output).toMatch(
      /^01920000\S+ {2}\\u001b\[31mrepair {2}work +50 % {2}1 min 30 s +1\/2 {2}████████░░░░░░░░$/m,
    );
    expect(output).not.toContain("\u001b");
  });

  it("tells of containers elsewhere, in place of workers that the server has not", async () => {
    const workers = { desired: 0, running: 0, busy: 0, max: 0 };
    await start(() => ({ ...STATS, workers, containers: { desired: 3, running: 1, pending: 2 } }));
    const { output } = await runAgainst(server, ["monitor", "--once"]);
    expect(output).toContain("containers  1 running, 2 pending, 3 desired\n");
    expect(output).not.toContain("workers");
  });

  it("gives a line of JSON for each look", async () => {
    await start();
    const { output } = await runAgainst(server, ["monitor", "--once", "--json"]);
    expect(JSON.parse(output)).toMatchObject({ stats: { uptimeSeconds: 61 }, running: [{ progress: 0.5 }] });
  });

  it("draws within the terminal, waits for a server that is away, and gives the terminal back", async () => {
    let looks = 0;
    await start(() => {
      looks += 1;
      return looks === 2 ? undefined : STATS;
    });
    const stop = new AbortController();
    const waits: number[] = [];
    const sleep = async (delayMs: number): Promise<void> => {
      waits.push(delayMs);
      if (waits.length === 3) stop.abort("SIGINT");
    };
    const overrides = { isOutputTerminal: true, columns: 30, rows: 8, signal: stop.signal, sleep };
    const { exitCode, output } = await runAgainst(server, ["monitor", "--interval", "5"], overrides);
    expect(exitCode).toBe(0);
    expect(waits).toEqual([5000, 5000, 5000]);
    expect(output.startsWith("\u001b[?1049h\u001b[?25l\u001b[H")).toBe(true);
    expect(output.endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
    const frames = output.split("\u001b[H").slice(1);
    expect(frames.map((frame) => frame.includes("NO ANSWER"))).toEqual([false, true, false]);
    for (const lines of frames.map((frame) => frame.split("\r\n"))) {
      expect(lines.length).toBeLessThanOrEqual(7);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences take no room.
      for (const text of lines) expect(text.replace(/\u001b\[[?\d]*[A-Za-z]/g, "").length).toBeLessThanOrEqual(29);
    }
  });

  it("gives the terminal back where a later answer is wrong", async () => {
    let looks = 0;
    await start(() => {
      looks += 1;
      return looks === 1 ? STATS : {};
    });
    let output = "";
    const writeOutput = (text: string): void => {
      output += text;
    };
    const command = runAgainst(server, ["monitor"], { isOutputTerminal: true, writeOutput });
    await expect(command).rejects.toMatchObject({ code: "SERVER_ANSWER_INVALID" });
    expect(output.endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
  });
});
