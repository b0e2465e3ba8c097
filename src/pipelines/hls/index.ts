export { planLadder } from "./ladder.ts";
export { HLS_SETTINGS, type HlsSettings, LADDER_FILE, ladderSteps } from "./options.ts";
export { packageFile } from "./package-file.ts";
export { MAIN_PLAYLIST, type PackageReport } from "./packaging.ts";
