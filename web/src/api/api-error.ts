/** A request that did not end well, in the user's terms. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Stable code of the server, or `NETWORK` where it was not reached, or `HTTP_` and the status where it gave none. */
  readonly code: string;
  /** HTTP status; 0 where the server was not reached. */
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

/** Whatever was thrown, as an error that can be shown. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError("DASHBOARD", 0, error instanceof Error ? error.message : String(error), { cause: error });
}
