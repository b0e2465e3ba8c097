import { lookup } from "node:dns/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { connect as connectByTls } from "node:tls";
import { expect, it } from "vitest";

const IS_OPEN = Boolean(process.env["REELMILL_TEST_AWS_ENDPOINT"]);

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

it.skipIf(IS_OPEN).fails("fails a test that connects elsewhere by TLS", () => {
  connectByTls({ host: "192.0.2.1", port: 443 });
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

it("lets a test talk to this machine", async () => {
  const server = createServer((_request, response) => response.end("here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe("here");
  server.closeAllConnections();
  server.close();
});
