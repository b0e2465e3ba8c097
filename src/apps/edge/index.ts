export { createCloudRepair } from "./cloud-repair.ts";
export { createEdgeService, type EdgeService } from "./edge-service.ts";
export { createExaminer, type Examiner } from "./examiner.ts";
export type { RepairOutcome, RepairRequest, RepairService } from "./repair-service.ts";
export { type EdgeSettings, isInside, resolveEdgeSettings } from "./settings.ts";
