import { describe, expect, it } from "vitest";
import { runDoctorCommand } from "./doctor.ts";
import { createRecordingContext } from "./recording-context.fixture.ts";

const PATH = process.env["PATH"];

describe("runDoctorCommand", () => {
  it("finds this machine fit, as a table and as JSON", async () => {
    const asTable = createRecordingContext({ environment: { PATH } });
    expect(await runDoctorCommand({ json: false }, asTable)).toBe(0);
    expect(asTable.written.output).toMatch(/^node +ok +24/m);
    const asJson = createRecordingContext({ environment: { PATH } });
    await runDoctorCommand({ json: true }, asJson);
    const report = JSON.parse(asJson.written.output);
    expect(report.ok).toBe(true);
    expect(report.findings.map((finding: { check: string }) => finding.check)).toContain("ffmpeg version");
  });

  it("gives 1 and says what to do when ffmpeg is missing", async () => {
    const context = createRecordingContext({ environment: { PATH: "/nonexistent" } });
    expect(await runDoctorCommand({ json: false }, context)).toBe(1);
    expect(context.written.output).toMatch(/ffmpeg +failed +No program "ffmpeg".*apt-get install ffmpeg/);
  });

  it("refuses a wrong setting before it looks at anything", async () => {
    const context = createRecordingContext({ environment: { PATH, LOG_LEVEL: "loud" } });
    await expect(runDoctorCommand({ json: false }, context)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});
