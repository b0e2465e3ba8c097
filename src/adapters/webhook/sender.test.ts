import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../base/clock.ts";
import type { SendResult } from "../../jobs/deliveries.ts";
import { createAddressPolicy } from "./address-policy.ts";
import { type Receiver, type Respond, startReceiver } from "./receiver.fixture.ts";
import { createWebhookSender, type WebhookSenderOptions } from "./sender.ts";
import { createWebhookSecret } from "./signature.ts";

const SECRET = createWebhookSecret();
const LONG_MS = 60_000;

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function receiver(respond?: Respond, place?: Parameters<typeof startReceiver>[1]): Promise<Receiver> {
  const started = await startReceiver(respond, place);
  stops.push(started.stop);
  return started;
}

async function send(
  url: string,
  options: Partial<WebhookSenderOptions> = {},
  { timeoutMs = LONG_MS, signal = new AbortController().signal } = {},
): Promise<SendResult> {
  const defaults = { secrets: [SECRET], allowPrivateNetworks: true, clock: systemClock };
  const sender = createWebhookSender({ ...defaults, ...options });
  return await sender({ id: "an-id", url, body: '{"news":"größer"}' }, { timeoutMs, signal });
}

const redirectTo =
  (location: string, status = 307): Respond =>
  (response) =>
    response.writeHead(status, { location }).end();

describe("createWebhookSender", () => {
  it("posts a body that the receiver can verify", async () => {
    const { url, received } = await receiver();
    expect(await send(`${url}?of=job`)).toEqual({ status: 204, error: null, retryAfterMs: null });
    const [request] = received;
    expect(request).toMatchObject({ method: "POST", path: "/hook?of=job" });
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "content-length": "19",
      "user-agent": "Reelmill",
    });
    expect(new Webhook(SECRET).verify(request?.body ?? "", request?.headers ?? {})).toEqual({ news: "größer" });
  });

  it("keeps the name in the Host header while it connects to the address", async () => {
    const { port, received } = await receiver();
    const asked: string[] = [];
    const resolve = (hostname: string) => {
      asked.push(hostname);
      return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    };
    expect(await send(`http://hooks.example:${port}/x`, { resolve })).toMatchObject({ status: 204 });
    expect(received[0]?.headers["host"]).toBe(`hooks.example:${port}`);
    expect(asked).toEqual(["hooks.example"]);
  });

  it("asks for the certificate of the name, and takes none that is not trusted", async () => {
    const names: string[] = [];
    const server = createHttpsServer({
      SNICallback: (name, done) => {
        names.push(name);
        done(new Error("no certificate"));
      },
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.push(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    const result = await send(`https://hooks.example:${port}/x`, { resolve });
    expect(result).toMatchObject({ status: null, error: { code: "WEBHOOK_FAILED" } });
    expect(names).toEqual(["hooks.example"]);
  });

  it("says what the receiver answered where that is no success", async () => {
    const { url } = await receiver((response, count) => {
      if (count === 0) response.writeHead(429, { "retry-after": "7" }).end("slow down");
      else response.writeHead(count === 1 ? 303 : 304, { location: "/elsewhere" }).end();
    });
    const error = { code: "WEBHOOK_FAILED", message: "The receiver answered with status 429." };
    expect(await send(url)).toEqual({ status: 429, error, retryAfterMs: 7000 });
    expect(await send(url)).toMatchObject({ status: 303, error: { code: "WEBHOOK_FAILED" } });
    expect(await send(url)).toMatchObject({ status: 304, error: { code: "WEBHOOK_FAILED" } });
  });

  it("names why a receiver cannot be reached, but neither address nor path", async () => {
    const gone = await startReceiver();
    await gone.stop();
    const result = await send(`${gone.url}/token-s3cret`);
    expect(result).toMatchObject({ status: null, error: { code: "WEBHOOK_FAILED" } });
    expect(result.error?.message).toContain("ECONNREFUSED");
    expect(result.error?.message).not.toMatch(/s3cret|127\.0/);
    const unknown = await send("http://hooks.example/", {
      resolve: () => Promise.reject(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" })),
    });
    expect(unknown.error?.message).toContain("ENOTFOUND");
  });
});

describe("where webhooks do not go", () => {
  it("does not connect to a private address, however it is named", async () => {
    const { port, connections } = await receiver();
    const resolve = () =>
      Promise.resolve([
        { address: "8.8.8.8", family: 4 },
        { address: "127.0.0.1", family: 4 },
      ]);
    for (const host of ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "inside.example"]) {
      const options = { allowPrivateNetworks: false, ...(host === "inside.example" && { resolve }) };
      const result = await send(`http://${host}:${port}/`, options);
      expect(result).toMatchObject({ status: null, error: { code: "WEBHOOK_REFUSED" } });
    }
    expect(connections()).toBe(0);
  });

  it("connects only to the address that was looked at, should the name change its meaning", async () => {
    const outside = await receiver();
    const inside = await receiver(undefined, { address: "127.0.0.2", port: outside.port });
    const answers = ["127.0.0.1", "127.0.0.2", "127.0.0.2"].values();
    const resolve = () => Promise.resolve([{ address: answers.next().value ?? "127.0.0.2", family: 4 }]);
    const isAllowedAddress = (address: string): boolean => address === "127.0.0.1";
    const url = `http://rebinding.example:${outside.port}/`;
    expect(await send(url, { resolve, isAllowedAddress })).toMatchObject({ status: 204 });
    expect(await send(url, { resolve, isAllowedAddress })).toMatchObject({ error: { code: "WEBHOOK_REFUSED" } });
    expect([outside.connections(), inside.connections()]).toEqual([1, 0]);
  });

  it("looks at the addresses of a redirect too, even of the same name", async () => {
    const inside = await receiver(undefined, { address: "127.0.0.2" });
    const outside = await receiver(redirectTo(`http://rebinding.example:${inside.port}/`));
    const answers = ["127.0.0.1", "127.0.0.2"].values();
    const resolve = () => Promise.resolve([{ address: answers.next().value ?? "", family: 4 }]);
    const isAllowedAddress = (address: string): boolean => address === "127.0.0.1";
    const result = await send(`http://rebinding.example:${outside.port}/`, { resolve, isAllowedAddress });
    expect(result).toMatchObject({ status: 307, error: { code: "WEBHOOK_REFUSED" } });
    expect([outside.received.length, inside.connections()]).toEqual([1, 0]);
  });

  it.each([
    "http://127.0.0.1:9/",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "//0xa9fea9fe/",
    "http://user:secret@example.com/",
    "file:///etc/passwd",
    "http://[",
  ])("does not follow a redirect to %s", async (location) => {
    const { port, received } = await receiver(redirectTo(location, 302), { address: "127.0.0.3" });
    const isPublic = createAddressPolicy({ allowPrivateNetworks: false });
    const asked: string[] = [];
    const result = await send(`http://public.example:${port}/`, {
      allowPrivateNetworks: false,
      resolve: (hostname) => {
        asked.push(hostname);
        return Promise.resolve([{ address: "127.0.0.3", family: 4 }]);
      },
      // The receiver stands for a public one, at an address that no redirect names.
      isAllowedAddress: (address) => address === "127.0.0.3" || isPublic(address),
    });
    expect(result).toMatchObject({ status: 302, error: { code: "WEBHOOK_REFUSED" } });
    expect(received).toHaveLength(1);
    expect(asked).toEqual(["public.example"]);
  });

  it("follows three redirects with the same request, and not a fourth", async () => {
    const { url, received } = await receiver((response, count) => {
      if (count < 3) redirectTo(`/hop${count}`, [301, 302, 308][count])(response, count);
      else response.writeHead(200).end();
    });
    expect(await send(url)).toMatchObject({ status: 200, error: null });
    expect(received.map(({ method, path, body }) => [method, path, body])).toEqual(
      ["/hook", "/hop0", "/hop1", "/hop2"].map((path) => ["POST", path, '{"news":"größer"}']),
    );
    const circle = await receiver(redirectTo("/again"));
    expect(await send(circle.url)).toMatchObject({ status: 307, error: { code: "WEBHOOK_FAILED" } });
    expect(circle.received).toHaveLength(4);
  });
});

describe("receivers that would hold a sender up", () => {
  it("leaves one that sends headers for ever, and one whose name is never resolved", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 200 OK\r\n");
      const drip = setInterval(() => socket.write("X-Drip: 1\r\n"), 10);
      socket.on("close", () => clearInterval(drip));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.push(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const dripping = await send(`http://127.0.0.1:${port}/`, {}, { timeoutMs: 200 });
    expect(dripping).toMatchObject({ status: null, error: { code: "WEBHOOK_FAILED" } });
    const stuck = await send(
      "http://stuck.example/",
      { resolve: () => new Promise(() => undefined) },
      { timeoutMs: 50 },
    );
    expect(stuck.error?.message).toContain("within 50 ms");
  });

  it("takes the status and leaves the rest of an endless body", async () => {
    let sentBytes = 0;
    const closed = Promise.withResolvers<void>();
    const { url } = await receiver((response) => {
      const chunk = Buffer.alloc(16 * 1024);
      response.writeHead(200);
      response.on("close", closed.resolve);
      const more = (): void => {
        while (!response.destroyed) {
          sentBytes += chunk.length;
          if (!response.write(chunk)) break;
        }
      };
      response.on("drain", more);
      more();
    });
    expect(await send(url)).toEqual({ status: 200, error: null, retryAfterMs: null });
    await closed.promise;
    // What is beyond the bound on reading lay in the buffers of the two sockets.
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
  });

  it("takes the status of one whose body never comes, or breaks off", async () => {
    const { url } = await receiver((response, count) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("x", () => {
        if (count === 1) response.destroy();
      });
    });
    expect(await send(url, {}, { timeoutMs: 200 })).toMatchObject({ status: 200, error: null });
    expect(await send(url)).toMatchObject({ status: 200, error: null });
  });

  it("fails at what is not HTTP", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.end("SSH-2.0-OpenSSH_9.9\r\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.push(async () => void server.close());
    const result = await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(result).toMatchObject({ status: null, error: { code: "WEBHOOK_FAILED" } });
  });
});
