import type { FileResult } from "./result.ts";

/** Files and the keys of the objects they stand for. */
export type Paths = readonly { readonly key: string; readonly path: string }[];

/** The result in terms of keys: users of a server do not know its folders, and should not. */
export function withKeys(result: FileResult, paths: Paths): FileResult {
  // The longest first, in case one path is the beginning of another.
  const longestFirst = [...paths].sort((a, b) => b.path.length - a.path.length);
  const rewrite = (text: string): string =>
    longestFirst.reduce((rewritten, { key, path }) => rewritten.replaceAll(path, key), text);
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
