import { describe, expect, it } from "vitest";
import { ReelmillError } from "./errors.ts";
import { createLogger, type LoggerOptions } from "./log.ts";

function collect(format: LoggerOptions["format"], level: LoggerOptions["level"] = "info") {
  const lines: string[] = [];
  return { lines, logger: createLogger({ format, level, write: (line) => lines.push(line) }) };
}

describe("createLogger", () => {
  it("writes JSON lines with timestamp, level, message and job_id, also from a child", () => {
    const { lines, logger } = collect("json");
    logger.child({ job_id: "j1" }).info("segment done", { segment_index: 3, duration_ms: 12 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\n$/);
    const line = JSON.parse(lines[0] ?? "");
    expect(line).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: "info",
      message: "segment done",
      job_id: "j1",
      segment_index: 3,
      duration_ms: 12,
    });
  });

  it("writes expected errors with code, message and cause, without any stack", () => {
    const cause = new Error("disk");
    const error = new ReelmillError("NO_SPACE", "Full.", { cause });
    const { lines, logger } = collect("json");
    logger.error("failed", { job_id: "j1", error });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ job_id: "j1" });
    const written = { code: "NO_SPACE", retryable: true, message: "Full.", cause: { message: "disk" } };
    expect(JSON.parse(lines[0] ?? "").error).toEqual(written);
    const text = collect("text");
    text.logger.warn("failed", { error });
    expect(text.lines.join("")).toMatch(/ WARN {2}failed\n {2}Full\. \(NO_SPACE\)\n$/);
  });

  it.each([
    ["INTERNAL", new ReelmillError("INTERNAL", "Oops.", { cause: new Error("why") })],
    ["unknown kind", new Error("Oops.", { cause: new Error("why") })],
  ])("writes errors of %s with their stack", (_what, error) => {
    for (const format of ["json", "text"] as const) {
      const { lines, logger } = collect(format);
      logger.error("failed", { error });
      expect(lines.join("")).toContain("log.test.ts");
    }
  });

  it("lets names and messages from outside neither steer the terminal nor pass for lines of the log", () => {
    const { lines, logger } = collect("text");
    const error = new Error("bad\u001b[2J\n12:00:00.000 INFO  all is well");
    logger.warn("a\nb", { file: "x\u001b]0;y\u0007.mp4", error });
    const text = lines.join("");
    expect(text).not.toMatch(/[^\n\P{Cc}]/u);
    expect(text).toContain("a\\u000ab file=x\\u001b]0;y\\u0007.mp4\n  Error: bad\\u001b[2J\n  12:00");
  });

  it("leaves out what is less severe than its level", () => {
    const { lines, logger } = collect("json", "warn");
    logger.debug("a");
    logger.info("b");
    logger.warn("c");
    expect(lines).toHaveLength(1);
  });

  it("writes text with time, level, message and quoted fields", () => {
    const { lines, logger } = collect("text");
    logger.warn("slow", { job_id: "j1", file: "a b.mp4" });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}slow job_id=j1 file="a b\.mp4"\n$/);
  });
});
