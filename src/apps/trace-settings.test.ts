import { describe, expect, it } from "vitest";
import { isSecretName } from "../base/secret-names.ts";
import { sendsToXray } from "./telemetry.ts";
import { describeTraceSettings, readTraceDestination } from "./trace-settings.ts";

const XRAY = "https://xray.eu-central-1.amazonaws.com";

describe("where traces go", () => {
  it("is nowhere unless a collector is named, or where they are switched off", () => {
    expect(readTraceDestination({})).toBeUndefined();
    expect(readTraceDestination({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toBeUndefined();
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", OTEL_SDK_DISABLED: "TRUE" };
    expect(readTraceDestination(off)).toBeUndefined();
  });

  it("keeps secret what is named like it", () => {
    for (const { name, isSecret = false } of describeTraceSettings())
      expect([name, isSecretName(name)]).toEqual([name, isSecret]);
  });

  it("is what OpenTelemetry's variables say", () => {
    expect(
      readTraceDestination({
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318/",
        OTEL_EXPORTER_OTLP_HEADERS: "x-key = a%20b, other=c=d",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test,service.name=overridden",
        OTEL_SERVICE_NAME: "mill",
        OTEL_EXPORTER_OTLP_TIMEOUT: "250",
      }),
    ).toEqual({
      collector: {
        url: "http://127.0.0.1:4318/v1/traces",
        headers: { "x-key": "a b", other: "c=d" },
        timeoutMs: 250,
        resource: { "deployment.environment": "test", "service.name": "mill" },
      },
      xrayRegion: undefined,
    });
    const whole = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector.example/in?a=b" };
    expect(readTraceDestination(whole)?.collector.url).toBe("https://collector.example/in?a=b");
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: XRAY }, `${XRAY}/v1/traces`, "eu-central-1"],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${XRAY}/v1/traces` }, `${XRAY}/v1/traces`, "eu-central-1"],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: XRAY, REELMILL_XRAY_ENDPOINT: "http://127.0.0.1:9000/" },
      "http://127.0.0.1:9000/v1/traces",
      "eu-central-1",
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: XRAY, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:4318/in" },
      "http://127.0.0.1:4318/in",
      undefined,
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", REELMILL_XRAY_ENDPOINT: "http://127.0.0.1:9000" },
      "http://127.0.0.1:4318/v1/traces",
      undefined,
    ],
  ])("is X-Ray where that is named: %o", (environment, url, xrayRegion) => {
    expect(readTraceDestination(environment)).toMatchObject({ collector: { url }, xrayRegion });
    expect(sendsToXray(environment)).toBe(xrayRegion !== undefined);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" }, /OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4317", but must be/],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", but must be http\/json/],
    [
      { REELMILL_XRAY_ENDPOINT: "https://k@x.example" },
      /REELMILL_XRAY_ENDPOINT is .* must be an http or https address/,
    ],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, /whole number of milliseconds/],
    [
      { OTEL_EXPORTER_OTLP_HEADERS: "se%cret" },
      /^OTEL_EXPORTER_OTLP_HEADERS has a value that is not allowed; it must be/,
    ],
    [{ OTEL_RESOURCE_ATTRIBUTES: "a=%zz" }, /OTEL_RESOURCE_ATTRIBUTES is/],
  ])("is refused: %o", (environment, message) => {
    expect(() => readTraceDestination(environment)).toThrow(message);
  });
});
