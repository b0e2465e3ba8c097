import type { Rule } from "../rule.ts";
import { BANDWIDTH_RULES } from "./bandwidth-rules.ts";
import { ENCRYPTION_RULES } from "./encryption-rules.ts";
import { FAULT_RULES } from "./fault-rules.ts";
import { I_FRAME_RULES } from "./i-frame-rules.ts";
import { MATCHING_RULES } from "./matching-rules.ts";
import { PLAYLIST_RULES } from "./playlist-rules.ts";
import { RENDITION_RULES } from "./rendition-rules.ts";
import { STREAM_RULES } from "./stream-rules.ts";
import { TIMING_RULES } from "./timing-rules.ts";

/**
 * Every rule, in the order of reports. A new one goes into the list that it belongs to: an id, the clause, and a function that
 * looks at the presentation.
 */
export const ALL_RULES: readonly Rule[] = [
  ...FAULT_RULES,
  ...PLAYLIST_RULES,
  ...MATCHING_RULES,
  ...RENDITION_RULES,
  ...STREAM_RULES,
  ...BANDWIDTH_RULES,
  ...TIMING_RULES,
  ...I_FRAME_RULES,
  ...ENCRYPTION_RULES,
];
