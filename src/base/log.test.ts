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

  it("writes errors with code, message, stack and cause", () => {
    const { lines, logger } = collect("json");
    const cause = new Error("disk");
    logger.error("failed", { job_id: "j1", error: new ReelmillError("NO_SPACE", "Full.", { cause }) });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      job_id: "j1",
      error: {
        code: "NO_SPACE",
        retryable: true,
        message: "Full.",
        stack: expect.any(String),
        cause: { message: "disk" },
      },
    });
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
