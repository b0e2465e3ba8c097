import type { Lock, Locker, RequestRelease } from "@tus/server";
import { ReelmillError } from "../../base/errors.ts";

const WAIT_MS = 10_000;

/** Who has an upload, and who waits for it. */
interface Holder {
  readonly askToRelease: RequestRelease;
  readonly waiting: (() => void)[];
}

/** One request at a time for each upload. A later one asks the earlier to end, whose connection may be dead without its knowing. */
export function createUploadLocks(): Locker {
  const holders = new Map<string, Holder>();
  return { newLock: (id) => createLock(holders, id) };
}

function createLock(holders: Map<string, Holder>, id: string): Lock {
  return {
    lock: async (signal, askToRelease) => {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]);
      for (let holder = holders.get(id); holder !== undefined; holder = holders.get(id)) {
        await holder.askToRelease();
        await released(holder, deadline);
      }
      holders.set(id, { askToRelease, waiting: [] });
    },
    unlock: async () => {
      const holder = holders.get(id);
      holders.delete(id);
      for (const wake of holder?.waiting ?? []) wake();
    },
  };
}

async function released(holder: Holder, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const giveUp = (): void => {
    reject(new ReelmillError("UPLOAD_REFUSED", "Another request is at work on this upload and does not end."));
  };
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  holder.waiting.push(resolve);
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
