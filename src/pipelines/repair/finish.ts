import type { SkippedInput } from "./inputs.ts";
import type { FileResult, RepairDocument } from "./result.ts";

/** Collects the results of all files, in their order, into the document that is shown and stored. */
export function finishRepair(
  files: readonly FileResult[],
  skipped: readonly SkippedInput[],
  dryRun: boolean,
): RepairDocument {
  const count = (status: FileResult["status"]): number => files.filter((file) => file.status === status).length;
  return {
    schema: 1,
    dryRun,
    files,
    skipped: skipped.map(({ path, reason }) => ({ input: path, reason })),
    summary: {
      repaired: count("repaired"),
      repairable: count("repairable"),
      healthy: count("healthy"),
      failed: count("failed"),
    },
  };
}
