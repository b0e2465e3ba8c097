export type { ConversionReport } from "./conversion.ts";
export { convertFile } from "./convert-file.ts";
export { CONVERT_SETTINGS, type ConvertSettings, extensionFor } from "./options.ts";
export { describeSearch } from "./plan-search.ts";
