import { expect, it } from "vitest";
import { workerEnvironment } from "./start-workers.ts";

const PLAIN = { PATH: "/bin", REELMILL_PORT: "9" };
const AWS = { AWS_PROFILE: "p", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" };
const SECRETS = { REELMILL_API_KEY: "k", AWS_API_KEY: "k", VENDOR_TOKEN: "t" };

it.each([
  ["local", {}, {}],
  ["local", { OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector.example.com" }, {}],
  ["local", { OTEL_EXPORTER_OTLP_ENDPOINT: "https://xray.eu-central-1.amazonaws.com" }, AWS],
  ["aws", {}, AWS],
] as const)("a worker of the backend %s with %o gets no secret, and of AWS: %o", (backend, traced, ofAws) => {
  const environment = { ...PLAIN, ...AWS, ...SECRETS, ...traced, OTEL_EXPORTER_OTLP_HEADERS: "x-key=k" };
  const given = { ...PLAIN, ...ofAws, ...traced, OTEL_EXPORTER_OTLP_HEADERS: "x-key=k" };
  expect(workerEnvironment({ backend }, environment)).toEqual(given);
});
