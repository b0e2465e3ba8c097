/** The most that one answer of a function holds: it may have 6 MB, a third of which goes into Base64 and what is around it. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
