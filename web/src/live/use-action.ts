import { useState } from "react";
import { type ApiError, toApiError } from "../api/api-error.ts";

/** Something the user can make the server do. */
export interface Action {
  readonly isBusy: boolean;
  /** Why the last try failed. */
  readonly error: ApiError | null;
  /** Does it; whether it succeeded. */
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
}

/** Runs what the user asked for, one thing at a time, and keeps why it failed. */
export function useAction(): Action {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    setIsBusy(true);
    setError(null);
    try {
      await work();
      return true;
    } catch (thrown) {
      setError(toApiError(thrown));
      return false;
    } finally {
      setIsBusy(false);
    }
  };
  return { isBusy, error, run };
}
