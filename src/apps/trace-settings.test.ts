import { describe, expect, it } from "vitest";
import { isSecretName } from "../base/secret-names.ts";
import { describeTraceSettings, readCollector } from "./trace-settings.ts";

describe("where traces go", () => {
  it("is nowhere unless a collector is named, or where they are switched off", () => {
    expect(readCollector({})).toBeUndefined();
    expect(readCollector({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toBeUndefined();
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", OTEL_SDK_DISABLED: "TRUE" };
    expect(readCollector(off)).toBeUndefined();
  });

  it("keeps secret what is named like it", () => {
    for (const { name, isSecret = false } of describeTraceSettings())
      expect([name, isSecretName(name)]).toEqual([name, isSecret]);
  });

  it("is what OpenTelemetry's variables say", () => {
    expect(
      readCollector({
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318/",
        OTEL_EXPORTER_OTLP_HEADERS: "x-key = a%20b, other=c=d",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test,service.name=overridden",
        OTEL_SERVICE_NAME: "mill",
        OTEL_EXPORTER_OTLP_TIMEOUT: "250",
      }),
    ).toEqual({
      url: "http://127.0.0.1:4318/v1/traces",
      headers: { "x-key": "a b", other: "c=d" },
      timeoutMs: 250,
      resource: { "deployment.environment": "test", "service.name": "mill" },
    });
    const whole = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector.example/in?a=b" };
    expect(readCollector(whole)?.url).toBe("https://collector.example/in?a=b");
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" }, /OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4317", but must be/],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", but must be http\/json/],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, /whole number of milliseconds/],
    [
      { OTEL_EXPORTER_OTLP_HEADERS: "se%cret" },
      /^OTEL_EXPORTER_OTLP_HEADERS has a value that is not allowed; it must be/,
    ],
    [{ OTEL_RESOURCE_ATTRIBUTES: "a=%zz" }, /OTEL_RESOURCE_ATTRIBUTES is/],
  ])("is refused: %o", (environment, message) => {
    expect(() => readCollector(environment)).toThrow(message);
  });
});
