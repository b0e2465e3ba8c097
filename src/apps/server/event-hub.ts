import type { ServerResponse } from "node:http";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createFaultLog, type FaultLog } from "../../base/fault-log.ts";
import type { Logger } from "../../base/log.ts";
import type { JobStore } from "../../jobs/ports.ts";
import { createFrames, type Frames } from "./event-frames.ts";
import { type Listener, openListener } from "./listener.ts";

/** Tells listeners what happens to jobs and to the watch folder. */
export interface EventHub {
  /** Throws RATE_LIMITED where there are as many listeners as may be, STORE_UNAVAILABLE where the server is being stopped. */
  requireRoom(): void;
  /** The change that a client was last told of; that of now where it tells none, or one that has not been. */
  placeOf(change: number | undefined): Promise<number>;
  /** All jobs, from the change after that on, and the watch folder. */
  listenToAll(response: ServerResponse, afterChange: number): void;
  /** One job as it is, then each change, and its events after `afterSeq`. */
  listenToJob(response: ServerResponse, jobId: string, afterSeq: number): void;
  /** Looks at once, because something has just changed. */
  nudge(): void;
  readonly listenerCount: number;
  /** Ends all streams. */
  close(): void;
}

/** What the hub stands on. */
export interface EventHubOptions {
  readonly store: JobStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** The watch folder as JSON. */
  readonly readWatch: () => string;
  readonly maxListeners: number;
  readonly stallMs: number;
}

const LOOK_EVERY_MS = 200;
/** Changes that follow each other closely are told together. */
const NUDGE_MS = 20;
const KEEP_ALIVE_MS = 15_000;
/** Of its time, the hub takes no more than one part in this many. */
const IDLE_SHARE = 3;
const KEEP_ALIVE = Buffer.from(": keep-alive\n\n");

/** A listener and how far it has come. */
type Subscriber = AllJobs | OneJob;

interface AllJobs {
  readonly kind: "all";
  readonly listener: Listener;
  /** The last change it was told of. */
  change: number;
  watch: string;
}

interface OneJob {
  readonly kind: "job";
  readonly listener: Listener;
  readonly jobId: string;
  change: number;
  /** The last event it was told of. */
  seq: number;
}

interface HubState {
  readonly options: EventHubOptions;
  readonly subscribers: Set<Subscriber>;
  readonly faults: FaultLog;
  timer: NodeJS.Timeout | undefined;
  /** When the timer ends, by the monotonic clock. */
  dueMs: number;
  keepAlive: NodeJS.Timeout | undefined;
  isLooking: boolean;
  isWanted: boolean;
  isClosed: boolean;
}

/**
 * One look at the store serves all listeners: what several of them are to hear is read and written as JSON once. Each keeps a
 * place of its own, moved on only when it has taken what was sent: a slow one is told fewer, newer states of jobs, and every
 * event. The store is looked at only while somebody listens.
 */
export function createEventHub(options: EventHubOptions): EventHub {
  const state: HubState = {
    options,
    subscribers: new Set(),
    faults: createFaultLog({
      ...options,
      level: "error",
      message: "Listeners could not be told what has changed; trying again.",
      over: "Listeners are told again what changes.",
    }),
    timer: undefined,
    dueMs: 0,
    keepAlive: undefined,
    isLooking: false,
    isWanted: false,
    isClosed: false,
  };
  return {
    requireRoom: () => requireRoom(state),
    placeOf: async (change) => {
      const last = await options.store.lastChange();
      // A number from another database says nothing here.
      return change === undefined || change > last ? last : change;
    },
    listenToAll: (response, change) => {
      subscribe(state, response, (listener) => ({ kind: "all", listener, change, watch: options.readWatch() }));
    },
    listenToJob: (response, jobId, afterSeq) => {
      subscribe(state, response, (listener) => ({ kind: "job", listener, jobId, change: -1, seq: afterSeq }));
    },
    nudge: () => {
      if (state.subscribers.size > 0) look(state, NUDGE_MS);
    },
    get listenerCount() {
      return state.subscribers.size;
    },
    close: () => {
      state.isClosed = true;
      for (const { listener } of state.subscribers) listener.close();
      stopWhenAlone(state);
    },
  };
}

function requireRoom({ options, subscribers, isClosed }: HubState): void {
  if (isClosed) throw new ReelmillError("STORE_UNAVAILABLE", "The server is being stopped.");
  if (subscribers.size < options.maxListeners) return;
  throw new ReelmillError("RATE_LIMITED", `${subscribers.size} clients listen already; there may be no more.`);
}

function subscribe(state: HubState, response: ServerResponse, create: (listener: Listener) => Subscriber): void {
  const listener = openListener(response, {
    stallMs: state.options.stallMs,
    onReady: () => look(state, NUDGE_MS),
    onClosed: () => {
      state.subscribers.delete(subscriber);
      stopWhenAlone(state);
    },
  });
  const subscriber = create(listener);
  if (listener.isClosed) return;
  state.subscribers.add(subscriber);
  listener.send(KEEP_ALIVE);
  state.keepAlive ??= setInterval(() => keepAlive(state), KEEP_ALIVE_MS);
  look(state, NUDGE_MS);
}

function keepAlive({ subscribers }: HubState): void {
  for (const { listener } of subscribers) if (listener.isReady) listener.send(KEEP_ALIVE);
}

function stopWhenAlone(state: HubState): void {
  if (state.subscribers.size > 0 && !state.isClosed) return;
  clearTimeout(state.timer);
  clearInterval(state.keepAlive);
  state.timer = undefined;
  state.keepAlive = undefined;
}

/** Looks within `delayMs`, or that long after the look that is under way. */
function look(state: HubState, delayMs: number): void {
  if (state.isLooking) {
    state.isWanted = true;
    return;
  }
  const dueMs = state.options.clock.monotonicMs() + delayMs;
  if (state.timer !== undefined && state.dueMs <= dueMs) return;
  clearTimeout(state.timer);
  state.dueMs = dueMs;
  state.timer = setTimeout(() => void lookNow(state), delayMs);
}

async function lookNow(state: HubState): Promise<void> {
  const { options, subscribers } = state;
  const startMs = options.clock.monotonicMs();
  state.timer = undefined;
  state.isLooking = true;
  state.isWanted = false;
  try {
    const frames = createFrames(options.store, options.clock);
    for (const subscriber of subscribers) await tell(frames, subscriber, options.readWatch);
    state.faults.worked();
  } catch (error) {
    state.faults.failed(error);
  }
  state.isLooking = false;
  if (state.isClosed || subscribers.size === 0) return;
  const tookMs = options.clock.monotonicMs() - startMs;
  look(state, Math.max(state.isWanted ? NUDGE_MS : LOOK_EVERY_MS, tookMs * IDLE_SHARE));
}

async function tell(frames: Frames, subscriber: Subscriber, readWatch: () => string): Promise<void> {
  const { listener } = subscriber;
  if (subscriber.kind === "all") {
    if (!listener.isReady) return;
    const watch = frames.watch(readWatch);
    if (watch.json !== subscriber.watch) {
      subscriber.watch = watch.json;
      listener.send(watch.frame);
    }
    while (listener.isReady) {
      const page = await frames.changesAfter(subscriber.change);
      if (page === undefined) return;
      subscriber.change = page.last;
      listener.send(page.frames);
    }
    return;
  }
  const { jobId } = subscriber;
  const job = await frames.job(jobId);
  if (job === undefined || job.change <= subscriber.change) return;
  while (listener.isReady) {
    const page = await frames.eventsAfter(jobId, subscriber.seq);
    if (page === undefined) break;
    subscriber.seq = page.last;
    listener.send(page.frames);
  }
  // Only with all events behind it, the new state counts as told.
  if (!listener.isReady) return;
  subscriber.change = job.change;
  listener.send(job.frame);
}
