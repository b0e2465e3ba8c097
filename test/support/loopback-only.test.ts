import { execFile, execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { lookup, resolve4 } from "node:dns/promises";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectByTls } from "node:tls";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { expect, inject, it } from "vitest";
import { launchBrowser, missingBrowser } from "./dashboard.ts";
import { hasEndpoints } from "./endpoints.ts";
import { endRun } from "./guard-process.ts";

const IS_OPEN = hasEndpoints();

// Each of these is recorded as well, and `fails` holds that the guard then fails the test itself.
it.skipIf(IS_OPEN).fails("fails a test that connects elsewhere, even where it takes no notice", () => {
  try {
    connect({ host: "192.0.2.1", port: 9 });
  } catch {
    // As a client would that tries another address.
  }
});

it.skipIf(IS_OPEN).fails("fails a test that asks for a name", () =>
  lookup("sqs.eu-central-1.amazonaws.com").then(() => undefined),
);

it.skipIf(IS_OPEN).fails("fails a test that asks servers of names", async () => {
  await resolve4("sqs.eu-central-1.amazonaws.com");
});

it.skipIf(IS_OPEN).fails("fails a test that sends a datagram elsewhere", () => {
  const socket = createSocket("udp4");
  try {
    socket.send("a", 9, "192.0.2.1");
  } finally {
    socket.close();
  }
});

it.skipIf(IS_OPEN).fails("fails a test that connects elsewhere by TLS", () => {
  connectByTls({ host: "192.0.2.1", port: 443 });
});

it.skipIf(IS_OPEN || missingBrowser() !== undefined).fails("fails a test whose browser asks elsewhere", async () => {
  const browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto("http://192.0.2.1/").catch(() => undefined);
  await browser.close();
});

it.skipIf(IS_OPEN).fails("fails a test that fetches from elsewhere", () =>
  fetch("http://192.0.2.1/").then(() => undefined),
);

it.skipIf(IS_OPEN).fails("fails a test whose own resolver leads elsewhere", async () => {
  await new Promise((resolve, reject) => {
    const socket = connect({
      host: "localhost",
      port: 9,
      lookup: (_name, _options, done) => done(null, [{ address: "192.0.2.1", family: 4 }]),
    });
    socket.on("error", reject).on("connect", resolve);
  });
});

const TRY = 'fetch("http://203.0.113.1/").catch(() => undefined)';

it.skipIf(IS_OPEN).fails("fails a test whose child tries, even one that is told another environment", async () => {
  await promisify(execFile)(process.execPath, ["-e", TRY], { env: { PATH: process.env["PATH"] } });
});

it.skipIf(IS_OPEN).fails("fails a test whose child's child tries, by way of a shell", () => {
  const inner = `require("node:child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(TRY)}])`;
  execFileSync("sh", ["-c", '"$@"', "sh", process.execPath, "-e", inner]);
});

it.skipIf(IS_OPEN).fails("fails a test whose thread tries, even one that is told another environment", async () => {
  const module = join(inject("runFolder"), `thread-${process.pid}.mjs`);
  writeFileSync(module, TRY);
  await once(new Worker(module, { env: {} }), "exit");
});

it.skipIf(IS_OPEN)(
  "fails a run at its end by what nobody heard of: which host a child was refused, and what the child ran",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "reelmill-guard-"));
    const url = pathToFileURL(join(import.meta.dirname, "refuse-outside.mjs"));
    url.searchParams.set("report", join(folder, "refused-1"));
    const program = join(folder, "call.mjs");
    writeFileSync(
      program,
      `await ${TRY}; import("node:dns").then((dns) => dns.lookup("example.com", () => undefined));`,
    );
    const run = promisify(execFile)(process.execPath, [program, "now"], { env: { NODE_OPTIONS: `--import=${url}` } });
    await expect(run).rejects.toThrow("A test tried to reach example.com, which is not this machine.");
    const told = `203.0.113.1 by ${program} now\nexample.com by ${program} now`;
    expect(() => endRun(folder)).toThrow(`Processes that tests had started tried to leave this machine:\n${told}`);
    expect(existsSync(folder)).toBe(false);
  },
);

it("lets a test talk to this machine", async () => {
  const server = createServer((_request, response) => response.end("here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe("here");
  server.closeAllConnections();
  server.close();
});
