import { describe, expect, it } from "vitest";
import { describeSettings, loadConfig } from "./config.ts";
import { defaultConfigFor } from "./config-defaults.ts";

describe("loadConfig", () => {
  it("has a default for everything", () => {
    expect(loadConfig({})).toEqual({
      logFormat: "text",
      logLevel: "info",
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

  it("refuses a misspelt setting by name, but not the variables of tests and benchmarks", () => {
    expect(() => loadConfig({ REELMILL_FFMPGE: "/x" })).toThrow("REELMILL_FFMPGE is not a setting");
    expect(() => loadConfig({ REELMILL_TEST_X: "1", REELMILL_BENCH_X: "1" })).not.toThrow();
  });

  it("never shows the key, be it right or wrong", () => {
    expect(() => loadConfig({ AWS_API_KEY: "s3cret key" })).toThrow("AWS_API_KEY is not usable, but must be printable");
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

describe("defaultConfigFor", () => {
  it("is what loadConfig gives where nothing is set, and leaves everything else to it", () => {
    expect(defaultConfigFor({ HOME: "/" })).toEqual(loadConfig({ HOME: "/" }));
    for (const { name } of describeSettings()) expect(defaultConfigFor({ [name]: "" })).toBeUndefined();
    expect(defaultConfigFor({ REELMILL_FFMPGE: "/x" })).toBeUndefined();
  });
});
