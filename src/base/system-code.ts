/** The system's error name (`ENOENT`), or undefined where the error is not the system's. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** The system's error name of an error or of what caused it. */
export function rootCodeOf(error: unknown): string | undefined {
  const code = systemCodeOf(error);
  if (code !== undefined) return code;
  return error instanceof Error && error.cause !== undefined ? rootCodeOf(error.cause) : undefined;
}
