import { expect, it } from "vitest";
import { z } from "zod";
import { describeIssue } from "./describe-issue.ts";

const SCHEMA = z.strictObject({
  codecs: z
    .array(z.enum(["h264", "hevc"]))
    .min(1)
    .optional(),
  width: z.int().min(16).max(4096).optional(),
  size: z
    .string()
    .max(24)
    .refine((text) => text.endsWith("MB"), "must be like 700MB")
    .optional(),
  address: z
    .string()
    .regex(/^https:/, "must be an address.")
    .optional(),
  tracks: z.union([z.literal("all"), z.array(z.int())]).optional(),
  own: z
    .string()
    .refine(() => false, "Its own sentence.")
    .optional(),
});

it.each([
  [{ codecs: ["h264", "hvec"] }, '"hvec" must be one of h264, hevc'],
  [{ codecs: [] }, "[] must have at least 1 item"],
  [{ width: 0 }, "0 must be at least 16"],
  [{ width: 9999 }, "9999 must be at most 4096"],
  [{ width: 20.5 }, "20.5 must be a whole number"],
  [{ width: "wide" }, '"wide" must be a number'],
  [{ size: "1XB" }, '"1XB" must be like 700MB'],
  [{ size: `${"9".repeat(100)}MB` }, `"${"9".repeat(58)}… must have at most 24 characters`],
  [{ address: "ftp:x" }, '"ftp:x" must be an address'],
  [{ address: "data:;base64,c2VjcmV0" }, "must be an address"],
  [{ tracks: "some" }, '"some" must be all, or must be a list'],
  [{ own: "x" }, "Its own sentence"],
])("names the value and what is allowed: %j", (given, said) => {
  const issues = SCHEMA.safeParse(given).error?.issues ?? [];
  expect(issues.map((issue) => describeIssue(issue, given))).toEqual([said]);
});

it("says what is missing", () => {
  const { error } = z.object({ input: z.string() }).safeParse({});
  expect(error?.issues.map((issue) => describeIssue(issue, {}))).toEqual(["is missing, and must be text"]);
});
