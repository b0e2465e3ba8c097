import { afterEach, expect, it, vi } from "vitest";
import { startStorage, startTables } from "./aws.ts";
import { endpointUnderTest, hasEndpoints } from "./endpoints.ts";

const SERVICES = ["S3", "SQS", "SNS", "DYNAMODB"] as const;

/** Names the endpoints and no others, whatever this run is told. */
function name(endpoints: Partial<Record<(typeof SERVICES)[number] | "AWS", string>>): void {
  for (const service of [...SERVICES, "AWS"] as const) {
    vi.stubEnv(`REELMILL_TEST_${service}_ENDPOINT`, endpoints[service] ?? "");
  }
}

afterEach(() => void vi.unstubAllEnvs());

it("takes each service from where it is named, and emulates the others", async () => {
  name({ S3: "http://127.0.0.1:9000", DYNAMODB: "http://127.0.0.1:8000" });
  const [storage, tables] = await Promise.all([startStorage(), startTables()]);
  expect([storage.place.endpoint, tables.place.endpoint]).toEqual(["http://127.0.0.1:9000", "http://127.0.0.1:8000"]);
  const emulator = storage.queues.endpoint ?? "";
  expect((await fetch(emulator)).status).toBeLessThan(500);
  expect([storage.topics.endpoint, storage.subscribers.endpoint]).toEqual([emulator, emulator]);
  await Promise.all([storage.stop(), tables.stop()]);
});

it("lets news of an emulated topic go to emulated queues alone", async () => {
  name({ SQS: "http://127.0.0.1:9324" });
  const storage = await startStorage();
  expect(storage.queues.endpoint).toBe("http://127.0.0.1:9324");
  expect(storage.subscribers.endpoint).toBe(storage.topics.endpoint);
  await storage.stop();
});

it("takes the one place for what has none of its own", async () => {
  name({ AWS: "http://127.0.0.1:4566", SNS: "http://127.0.0.1:1" });
  expect([endpointUnderTest("dynamodb"), endpointUnderTest("sns")]).toEqual([
    "http://127.0.0.1:4566",
    "http://127.0.0.1:1",
  ]);
  const { place, queues, subscribers } = await startStorage();
  expect([place, queues, subscribers].map(({ endpoint }) => endpoint)).toEqual(Array(3).fill("http://127.0.0.1:4566"));
  expect(hasEndpoints()).toBe(true);
  name({});
  expect(hasEndpoints()).toBe(false);
});
