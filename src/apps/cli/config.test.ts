import { describe, expect, it } from "vitest";
import { runProgram } from "./program.ts";
import { createRecordingContext } from "./recording-context.fixture.ts";

const ENVIRONMENT = { REELMILL_PORT: "9000", REELMILL_API_KEY: "5ecret", REELMILL_DATA: "a\u001b[2J" };

describe("config", () => {
  it("shows each value and where it came from, no secret, nothing that steers the terminal", async () => {
    const context = createRecordingContext({ environment: ENVIRONMENT });
    expect(await runProgram(["config"], "0", context)).toBe(0);
    const { output } = context.written;
    expect(output).toMatch(/^REELMILL_PORT +environment {2}9000$/m);
    expect(output).toMatch(/^REELMILL_HOST +default +127\.0\.0\.1$/m);
    expect(output).toMatch(/^REELMILL_API_KEY +environment {2}set$/m);
    expect(output).toContain("a\\u001b[2J");
    expect(output).not.toContain("5ecret");
  });

  it("says where the watch folder is by default, and where a server's own settings are", async () => {
    const context = createRecordingContext();
    await runProgram(["config"], "0", context);
    expect(context.written.output).toMatch(/^HOST_SMB_ROOT +default +watch in the data folder$/m);
    await runProgram(["config", "--help"], "0", context);
    expect(context.written.output).toContain("GET /v1/system");
  });

  it("gives the same as JSON", async () => {
    const context = createRecordingContext({ environment: ENVIRONMENT });
    await runProgram(["config", "--json"], "0", context);
    expect(JSON.parse(context.written.output).settings).toContainEqual({
      name: "REELMILL_PORT",
      value: "9000",
      source: "environment",
      isSecret: false,
    });
    expect(context.written.output).not.toContain("5ecret");
  });

  it("refuses a wrong setting", async () => {
    const context = createRecordingContext({ environment: { REELMILL_PORT: "x" } });
    await expect(runProgram(["config"], "0", context)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});
