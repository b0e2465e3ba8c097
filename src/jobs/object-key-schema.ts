import { z } from "zod";
import { ReelmillError } from "../base/errors.ts";
import { requireObjectKey } from "./object-key.ts";

const MAX_KEY_LENGTH = 1024;

/** What marks an issue, so that a pipeline refuses the params with OBJECT_KEY_INVALID. */
const MARK = { code: "OBJECT_KEY_INVALID" } as const;

/** Adds an issue for text that is no object's key. What the length alone tells is left to the schema. */
export function checkObjectKey(text: string, context: z.core.$RefinementCtx<string>): void {
  if (text === "" || text.length > MAX_KEY_LENGTH) return;
  try {
    requireObjectKey(text);
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
    context.addIssue({ code: "custom", message: error.message.replace(/\.$/, ""), params: MARK });
  }
}

/** An object's key among a pipeline's params, as `requireObjectKey` takes it. */
export const OBJECT_KEY = z.string().min(1).max(MAX_KEY_LENGTH).superRefine(checkObjectKey);

/** Whether nothing else is wrong with params than keys. */
export function isKeyFault({ issues }: z.ZodError): boolean {
  return issues.every((issue) => issue.code === "custom" && issue.params?.["code"] === MARK.code);
}
