import { describe, expect, it } from "vitest";
import { describeSettings, explainConfig, loadConfig, withoutOwnSecrets, withoutSecrets } from "./config.ts";
import { defaultConfigFor } from "./config-defaults.ts";
import { isSecretName } from "./secret-names.ts";

describe("loadConfig", () => {
  it("has a default for everything", () => {
    expect(loadConfig({})).toEqual({
      logFormat: "text",
      logLevel: "info",
      metrics: "none",
      ffmpeg: "ffmpeg",
      ffprobe: "ffprobe",
      ffmpegTimeoutMs: 3_600_000,
      untruncTimeoutMs: 3_600_000,
      watch: {
        root: undefined,
        ready: "ready",
        export: "export",
        quarantine: "quarantine",
        scanIntervalMs: 30_000,
        minFileAgeMs: 60_000,
        maxConcurrentJobs: 2,
        referenceStrategy: "smallest",
        cloudApiUrl: undefined,
        cloudApiKey: undefined,
        cloudRetries: 3,
      },
      server: {
        backend: "local",
        s3Endpoint: undefined,
        dynamoDbEndpoint: undefined,
        host: "127.0.0.1",
        port: 8080,
        dataFolder: "reelmill-data",
        maxWorkers: 2,
        leaseMs: 15_000,
        apiKeyHashes: [],
        webhooks: [],
        webhookSecrets: [],
        allowsPrivateWebhooks: false,
        publicUrl: undefined,
        referencePrefix: "references",
        maxUploadBytes: 1e12,
        writesPerMinute: null,
        retentionMs: 30 * 86_400_000,
      },
      client: { server: undefined, apiKey: undefined },
    });
  });

  it("reads what is set and takes an empty variable as not set", () => {
    const config = loadConfig({ LOG_FORMAT: "json", LOG_LEVEL: "", REELMILL_FFMPEG_TIMEOUT_SECONDS: "5", HOME: "/" });
    expect(config).toMatchObject({ logFormat: "json", logLevel: "info", ffmpegTimeoutMs: 5000 });
  });

  it.each([
    ["LOG_FORMAT", "xml", 'LOG_FORMAT is "xml", but must be json or text.'],
    ["LOG_LEVEL", "INFO", 'LOG_LEVEL is "INFO", but must be debug, info, warn or error.'],
    ["REELMILL_FFMPEG_TIMEOUT_SECONDS", "0", "must be a whole number of seconds from 1 to 604800."],
    ["REELMILL_FFMPEG_TIMEOUT_SECONDS", "1e3", 'is "1e3", but must be'],
    ["REELMILL_FFMPEG_TIMEOUT_SECONDS", "604801", 'is "604801", but must be'],
    ["SCAN_INTERVAL_SECONDS", "0", "must be a whole number of seconds from 1 to 604800."],
    ["MAX_CONCURRENT_JOBS", "65", "must be a whole number from 1 to 64."],
    ["REFERENCE_STRATEGY", "largest", "must be smallest or newest."],
    ["AWS_REPAIR_API_BASE_URL", "http://example.org/prod", "must be an https address"],
    ["AWS_REPAIR_API_BASE_URL", "https://example.org/prod", "but AWS_API_KEY is not"],
  ])("refuses %s=%s and says what is allowed", (name, value, message) => {
    expect(() => loadConfig({ [name]: value })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(() => loadConfig({ [name]: value })).toThrow(message);
  });

  it("reads lists, and which webhooks want the Slack form", () => {
    const { server } = loadConfig({
      REELMILL_API_KEY_SHA256: `${"A".repeat(64)}, ${"0".repeat(64)},`,
      REELMILL_WEBHOOK_URLS: "https://a.example/x,slack+https://hooks.example/y",
      REELMILL_WEBHOOK_SECRETS: `whsec_${"a".repeat(32)}`,
      REELMILL_WEBHOOK_PRIVATE_NETWORKS: "true",
      REELMILL_RETENTION_DAYS: "1",
      REELMILL_WRITES_PER_MINUTE: "600",
    });
    expect(server).toMatchObject({
      apiKeyHashes: ["a".repeat(64), "0".repeat(64)],
      webhooks: [
        { url: "https://a.example/x", format: "standard" },
        { url: "https://hooks.example/y", format: "slack" },
      ],
      allowsPrivateWebhooks: true,
      retentionMs: 86_400_000,
      writesPerMinute: 600,
    });
  });

  it.each([
    ["REELMILL_PORT", "65536"],
    ["REELMILL_HOST", "a b"],
    ["REELMILL_MAX_WORKERS", "0"],
    ["REELMILL_LEASE_SECONDS", "901"],
    ["REELMILL_MAX_UPLOAD_BYTES", "9007199254740992"],
    ["REELMILL_WEBHOOK_PRIVATE_NETWORKS", "yes"],
    ["REELMILL_S3_ENDPOINT", "http://user:word@a.example"],
    ["REELMILL_REFERENCE_PREFIX", "logs/mine"],
    ["REELMILL_SERVER", "ftp://a.example"],
    ["REELMILL_SERVER", "http://user:word@a.example"],
    ["REELMILL_SERVER", "http://a.example/?x=1"],
  ])("refuses %s=%s", (name, value) => {
    expect(() => loadConfig({ [name]: value })).toThrow(`${name} is "${value}", but must be`);
  });

  it.each([
    ["REELMILL_API_KEY_SHA256", "5ecret"],
    ["REELMILL_API_KEY_SHA256", `${"a".repeat(64)},,5ecret`],
    ["REELMILL_API_KEY", "5ecret with a blank"],
    ["REELMILL_API_KEY", "5ecret\n"],
    ["REELMILL_WEBHOOK_SECRETS", "5ecret"],
    ["REELMILL_WEBHOOK_URLS", "file:///5ecret"],
  ])("refuses a wrong %s without showing it", (name, value) => {
    const complaint = expect.objectContaining({
      code: "CONFIG_INVALID",
      message: expect.not.stringContaining("5ecret"),
    });
    expect(() => loadConfig({ [name]: value })).toThrow(complaint);
  });

  it("refuses a misspelt setting by name, but not the variables of tests and benchmarks", () => {
    expect(() => loadConfig({ REELMILL_FFMPGE: "/x" })).toThrow("REELMILL_FFMPGE is not a setting");
    expect(() => loadConfig({ REELMILL_TEST_X: "1", REELMILL_BENCH_X: "1" })).not.toThrow();
  });

  it("never shows the key, be it right or wrong", () => {
    expect(() => loadConfig({ AWS_API_KEY: "s3cret key" })).toThrow(
      "AWS_API_KEY has a value that is not allowed; it must be printable",
    );
    expect(describeSettings().find(({ name }) => name === "AWS_API_KEY")?.isSecret).toBe(true);
  });

  it("reads the watch folder's settings", () => {
    const AWS = { AWS_REPAIR_API_BASE_URL: "https://example.org/prod", AWS_API_KEY: "k", AWS_FALLBACK_RETRIES: "0" };
    expect(loadConfig({ HOST_SMB_ROOT: "/mnt/share", MIN_FILE_AGE_SECONDS: "0", ...AWS }).watch).toMatchObject({
      root: "/mnt/share",
      minFileAgeMs: 0,
      cloudApiUrl: "https://example.org/prod",
      cloudRetries: 0,
    });
  });

  it("describes every setting it reads", () => {
    const described = new Set(describeSettings().map(({ name }) => name));
    const read = new Set<string>();
    loadConfig(new Proxy({}, { get: (_, name) => void read.add(String(name)), ownKeys: () => [] }));
    expect(described).toEqual(read);
  });
});

describe("isSecretName", () => {
  it("knows every setting by its name for what it is", () => {
    for (const { name, isSecret = false } of describeSettings())
      expect([name, isSecretName(name)]).toEqual([name, isSecret]);
  });
});

describe("withoutSecrets", () => {
  it("takes away keys, tokens and all of AWS, and leaves the rest", () => {
    const kept = { PATH: "/bin", REELMILL_PORT: "9" };
    const secret = {
      OTEL_EXPORTER_OTLP_HEADERS: "k=v",
      VENDOR_TOKEN: "t",
      AWS_API_KEY: "k",
      REELMILL_API_KEY: "k",
      REELMILL_WEBHOOK_SECRETS: "s",
    };
    const aws = { AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t", AWS_CONTAINER_AUTHORIZATION_TOKEN: "t" };
    expect(withoutSecrets({ ...kept, ...secret, ...aws, AWS_PROFILE: "p" })).toEqual(kept);
    expect(withoutOwnSecrets({ ...kept, ...secret, ...aws })).toEqual({ ...kept, ...aws });
  });
});

describe("defaultConfigFor", () => {
  it("is what loadConfig gives where nothing is set, and leaves everything else to it", () => {
    expect(defaultConfigFor({ HOME: "/" })).toEqual(loadConfig({ HOME: "/" }));
    for (const { name } of describeSettings()) expect(defaultConfigFor({ [name]: "" })).toBeUndefined();
    expect(defaultConfigFor({ REELMILL_FFMPGE: "/x" })).toBeUndefined();
  });
});

describe("explainConfig", () => {
  it("tells where each value came from and shows no secret", () => {
    const explained = explainConfig({ REELMILL_PORT: "9", REELMILL_API_KEY: "5ecret", LOG_LEVEL: "" });
    const found = (name: string) => explained.find((setting) => setting.name === name);
    expect(found("REELMILL_PORT")).toMatchObject({ value: "9", source: "environment" });
    expect(found("LOG_LEVEL")).toMatchObject({ value: "info", source: "default" });
    expect(found("REELMILL_API_KEY")).toMatchObject({ value: "set", source: "environment", isSecret: true });
    expect(found("REELMILL_WEBHOOK_SECRETS")).toMatchObject({ value: "unset", source: "default" });
    expect(JSON.stringify(explained)).not.toContain("5ecret");
  });

  it("puts the command line before the environment", () => {
    const explained = explainConfig({ REELMILL_PORT: "9" }, { REELMILL_PORT: "10", REELMILL_DATA: undefined });
    const found = (name: string) => explained.find((setting) => setting.name === name);
    expect(found("REELMILL_PORT")).toMatchObject({ value: "10", source: "command line" });
    expect(found("REELMILL_DATA")).toMatchObject({ source: "default" });
  });

  it("refuses what loadConfig refuses", () => {
    expect(() => explainConfig({ REELMILL_PORT: "x" })).toThrow("REELMILL_PORT");
  });
});
