import { describe, expect, it } from "vitest";
import { readBatchSettings } from "./batch-settings.ts";

const GOOD = {
  S3_BUCKET: "codec-converter-dev-123456789012",
  DYNAMODB_TABLE: "codec-converter-jobs-dev",
  AWS_REGION: "ap-northeast-1",
  JOB_ID: "550e8400-e29b-41d4-a716-446655440000",
  OUTPUT_CODEC: "h264",
};

function complaint(change: Readonly<Record<string, string | undefined>>): { code?: string; message?: string } {
  try {
    readBatchSettings({ ...GOOD, ...change });
    return {};
  } catch (error) {
    return error as Error;
  }
}

describe("the environment of the batch worker", () => {
  it("is read as the contract has it", () => {
    expect(readBatchSettings(GOOD)).toEqual({
      bucket: GOOD.S3_BUCKET,
      table: GOOD.DYNAMODB_TABLE,
      region: GOOD.AWS_REGION,
      jobId: GOOD.JOB_ID,
      outputCodec: "h264",
    });
    expect(complaint({ AWS_REGION: "us-gov-west-1", JOB_ID: "j", OUTPUT_CODEC: "av1" })).toEqual({});
  });

  it.each(Object.keys(GOOD))("lacks %s", (name) => {
    for (const value of [undefined, ""]) {
      const { code, message } = complaint({ [name]: value });
      expect(code).toBe("CONFIG_INVALID");
      expect(message).toMatch(new RegExp(`^${name} is not set; it must be `));
    }
  });

  it.each([
    ["OUTPUT_CODEC", "hevc", 'OUTPUT_CODEC is "hevc", but must be h264, vp9 or av1.'],
    ["OUTPUT_CODEC", "H264", "must be h264, vp9 or av1."],
    ["JOB_ID", "..", 'JOB_ID is "..", but must be 1 to 128 letters'],
    ["JOB_ID", "../../etc", "JOB_ID is"],
    ["JOB_ID", "a/b", "JOB_ID is"],
    ["JOB_ID", "a\\b", "JOB_ID is"],
    ["JOB_ID", "a\nb", String.raw`JOB_ID is "a\u000ab", but`],
    ["JOB_ID", "a\u0000", "JOB_ID is"],
    ["JOB_ID", ".reelmill-tmp", "JOB_ID is"],
    ["JOB_ID", "j".repeat(129), "JOB_ID is"],
    ["S3_BUCKET", "..", "S3_BUCKET is"],
    ["S3_BUCKET", "a/../b", "S3_BUCKET is"],
    ["S3_BUCKET", "Bucket", "S3_BUCKET is"],
    ["S3_BUCKET", ".reelmill", "S3_BUCKET is"],
    ["DYNAMODB_TABLE", "../x", "DYNAMODB_TABLE is"],
    ["DYNAMODB_TABLE", "...", "DYNAMODB_TABLE is"],
    ["AWS_REGION", "here", "AWS_REGION is"],
    ["AWS_REGION", "eu-central-1/..", "AWS_REGION is"],
  ])("refuses %s=%j", (name, value, told) => {
    const { code, message } = complaint({ [name]: value });
    expect(code).toBe("CONFIG_INVALID");
    expect(message).toContain(told);
  });

  it("is complained of at once, whatever is wrong with it", () => {
    const { message } = complaint({ JOB_ID: "..", OUTPUT_CODEC: undefined, S3_BUCKET: "x" });
    for (const name of ["JOB_ID", "OUTPUT_CODEC", "S3_BUCKET"]) expect(message).toContain(name);
    expect(message).not.toContain("AWS_REGION");
  });
});
