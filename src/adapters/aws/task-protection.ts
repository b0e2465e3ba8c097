import type { Logger } from "../../base/log.ts";

/** Keeps a container of Amazon ECS from being scaled in while it works. */
export interface TaskProtection {
  /** Tells whether there is work; nothing happens where that is as before. Never throws: without protection work is only repeated. */
  setBusy(isBusy: boolean): void;
  /** Lets go, and resolves when all that was told has been heard or failed. */
  close(): Promise<void>;
}

/** What protection is made with. */
export interface TaskProtectionOptions {
  /** The agent of the container, as ECS says in ECS_AGENT_URI. */
  readonly agentUri: string;
  readonly log: Logger;
  /** How often protection is asked for anew; default a minute, so that one that was not heard is not missed for long. */
  readonly renewMs?: number;
}

/** A worker that hangs is not protected for longer. */
const EXPIRES_IN_MINUTES = 60;
const RENEW_MS = 60_000;
const TIMEOUT_MS = 5000;

/**
 * Protection by the agent's endpoint (Amazon ECS, "Task scale-in protection endpoint"). A stop that was decided on before protection was asked
 * for still comes: what the worker holds then goes back to its queue.
 */
export function createTaskProtection({ agentUri, log, renewMs = RENEW_MS }: TaskProtectionOptions): TaskProtection {
  const url = `${agentUri.replace(/\/+$/, "")}/task-protection/v1/state`;
  let isProtected = false;
  let renewal: NodeJS.Timeout | undefined;
  // In the order in which it is told.
  let telling = Promise.resolve();
  const tell = (isBusy: boolean): void => {
    telling = telling.then(() => ask(url, isBusy)).catch((error: unknown) => log.warn(UNHEARD, { error }));
  };
  const setBusy = (isBusy: boolean): void => {
    if (isBusy === isProtected) return;
    isProtected = isBusy;
    clearInterval(renewal);
    if (isBusy) renewal = setInterval(() => tell(true), renewMs).unref();
    tell(isBusy);
  };
  return {
    setBusy,
    close: async () => {
      setBusy(false);
      await telling;
    },
  };
}

const UNHEARD = "The protection from being scaled in could not be changed.";

async function ask(url: string, isBusy: boolean): Promise<void> {
  const state = { ProtectionEnabled: isBusy, ...(isBusy ? { ExpiresInMinutes: EXPIRES_IN_MINUTES } : {}) };
  const response = await fetch(url, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(state),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  // A refusal is told with status 200 and the reason in place of the state.
  if (!response.ok || !text.includes('"protection"')) throw new Error(`${response.status}: ${text.slice(0, 300)}`);
}
