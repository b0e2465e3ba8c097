export { HLS_SETTINGS, type HlsSettings, LADDER_FILE } from "./options.ts";
export { packageFile } from "./package-file.ts";
export { MAIN_PLAYLIST, type PackageReport } from "./packaging.ts";
