/**
 * The HTTP interface under load: `node bench/api/main.ts [seconds]`. Requests per second at full speed, then latency at half of what is
 * to be reached, then streams of events. Load generator, server and listeners share the machine's cores.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const AUTOCANNON = fileURLToPath(import.meta.resolve("autocannon"));
const SERVE = fileURLToPath(new URL("serve.ts", import.meta.url));
const GET_TARGET = 5000;
const CREATE_TARGET = 1000;
const P99_TARGET_MS = 50;
const LISTENERS = 1000;
const CONNECTIONS = 32;

const run = promisify(execFile);

/** What autocannon tells, as far as it is used. */
interface Result {
  readonly requests: { readonly average: number };
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly non2xx: number;
  readonly errors: number;
}

async function load(url: string, seconds: number, options: readonly string[]): Promise<Result> {
  const base = ["--json", "--no-progress", "-c", String(CONNECTIONS), "-d", String(seconds)];
  const { stdout } = await run(process.execPath, [AUTOCANNON, ...base, ...options, url], { maxBuffer: 2 ** 26 });
  const result = JSON.parse(stdout) as Result;
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} refused, ${result.errors} failed: ${url}`);
  return result;
}

const BODY = JSON.stringify({ pipeline: "echo", params: { text: "hello" } });
const CREATE = ["-m", "POST", "-H", "content-type=application/json", "-b", BODY];

function row(name: string, target: number, full: Result, half: Result): string {
  const { average } = full.requests;
  const cells = [
    name,
    average.toFixed(0),
    target.toFixed(0),
    `${(average / target).toFixed(2)} ×`,
    `${half.latency.p50} ms`,
    `${half.latency.p99} ms`,
    `${(P99_TARGET_MS / Math.max(half.latency.p99, 1)).toFixed(1)} ×`,
  ];
  return `| ${cells.join(" | ")} |`;
}

async function measure(url: string, target: number, seconds: number, name: string, more: readonly string[] = []) {
  const full = await load(url, seconds, more);
  const half = await load(url, seconds, [...more, "-R", String(target / 2)]);
  return row(name, target, full, half);
}

async function create(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: BODY,
  });
  return ((await response.json()) as { readonly id: string }).id;
}

/** Opens streams; `heard` resolves when each has got the text. */
async function openListeners(port: number, count: number, text: () => string) {
  let heard = 0;
  const done = Promise.withResolvers<void>();
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, "127.0.0.1");
      let last = "";
      let isDone = false;
      socket.setEncoding("utf8");
      socket.write("GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await once(socket, "data");
      socket.on("data", (chunk: string) => {
        last = (last + chunk).slice(-4096);
        if (isDone || text() === "" || !last.includes(text())) return;
        isDone = true;
        heard += 1;
        if (heard === count) done.resolve();
      });
      return socket;
    }),
  );
  return { heard: done.promise, close: () => sockets.forEach((socket) => void socket.destroy()) };
}

async function measureListeners(url: string, port: number, seconds: number): Promise<string> {
  let wanted = "";
  const startMs = performance.now();
  const listeners = await openListeners(port, LISTENERS, () => wanted);
  const openMs = performance.now() - startMs;
  const id = await create(url);
  wanted = id;
  const toldMs = performance.now();
  await fetch(`${url}/v1/jobs/${id}/cancel`, { method: "POST" });
  await listeners.heard;
  const allMs = performance.now() - toldMs;
  const { requests, latency } = await load(`${url}/v1/jobs/${id}`, seconds, ["-R", String(GET_TARGET / 2)]);
  listeners.close();
  return [
    `${LISTENERS} listeners: opened in ${openMs.toFixed(0)} ms; a change reached all of them in ${allMs.toFixed(0)} ms;`,
    `meanwhile ${requests.average.toFixed(0)} GET/s with p99 ${latency.p99} ms.`,
  ].join(" ");
}

async function startServer(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [SERVE], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { child, port: Number(line) };
}

const seconds = Number(process.argv[2] ?? 10);
const { child, port } = await startServer();
try {
  const url = `http://127.0.0.1:${port}`;
  const id = await create(url);
  const rows = [
    await measure(`${url}/v1/jobs/${id}`, GET_TARGET, seconds, "GET /v1/jobs/{id}"),
    await measure(`${url}/v1/jobs`, CREATE_TARGET, seconds, "POST /v1/jobs", CREATE),
  ];
  console.log(`${cpus().length} cores (${cpus()[0]?.model}), ${CONNECTIONS} connections, ${seconds} s each\n`);
  console.log("| request | per second | wanted | ratio | p50 at half of that | p99 | under 50 ms by |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const line of rows) console.log(line);
  console.log(`\n${await measureListeners(url, port, seconds)}`);
} finally {
  child.stdin?.end();
}
