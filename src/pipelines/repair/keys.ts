import { dirname, posix } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { createReplacer } from "../../base/replace-texts.ts";
import { adviseJob } from "./reference-advice.ts";
import type { FileResult } from "./result.ts";

/** Files and the keys of the objects they stand for. */
export type Paths = readonly { readonly key: string; readonly path: string }[];

/** The result in terms of keys and of jobs: users of a server do not know its folders, and should not. */
export function withKeys(result: FileResult, paths: Paths): FileResult {
  const rewrite = createRewriter(paths);
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

/** An error in terms of keys; what is none of ours stays as it is. */
export function errorWithKeys(error: unknown, paths: Paths): unknown {
  if (!(error instanceof ReelmillError)) return error;
  const { code, problem, advice, details } = error;
  const rewrite = createRewriter(paths);
  const rest = { cause: error, advice: rewrite(advice), ...(details === undefined ? {} : { details }) };
  return new ReelmillError(code, rewrite(problem), rest);
}

function createRewriter(paths: Paths): (text: string) => string {
  // Folders too, for what lies beside, such as an output under its temporary name.
  const folders = paths
    .map(({ key, path }) => ({ key: posix.dirname(key), path: dirname(path) }))
    .filter(({ path }) => path !== "/" && path !== ".");
  const replace = createReplacer(new Map([...folders, ...paths].map(({ key, path }) => [path, key])));
  return (text) => replace(adviseJob(text));
}
