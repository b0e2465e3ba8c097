import { createRewriter, type Paths } from "../object-files.ts";
import { adviseJob } from "./reference-advice.ts";
import type { FileResult } from "./result.ts";

/** The result in terms of keys and of jobs: users of a server do not know its folders, and should not. */
export function withKeys(result: FileResult, paths: Paths): FileResult {
  const rewrite = createRewriter(paths, adviseJob);
  const { error } = result;
  return {
    ...result,
    input: rewrite(result.input),
    output: result.output === null ? null : rewrite(result.output),
    references: result.references.map(rewrite),
    checks: result.checks.map((check) => ({ ...check, detail: rewrite(check.detail) })),
    notices: result.notices.map(rewrite),
    ...(error === undefined ? {} : { error: { ...error, message: rewrite(error.message) } }),
  };
}
