import type { FileResult, RepairDocument } from "./result.ts";

/** Collects the results of all files, in their order, into the document that is shown and stored. */
export function finishRepair(files: readonly FileResult[], dryRun: boolean): RepairDocument {
  const count = (status: FileResult["status"]): number => files.filter((file) => file.status === status).length;
  return {
    schema: 1,
    dryRun,
    files,
    summary: {
      repaired: count("repaired"),
      repairable: count("repairable"),
      healthy: count("healthy"),
      failed: count("failed"),
    },
  };
}
