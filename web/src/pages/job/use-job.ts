import { useEffect, useMemo, useRef } from "react";
import type { EventView, JobView, TaskView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { createBatch } from "../../live/batch.ts";
import type { StreamState } from "../../live/event-stream.ts";
import { refreshMsOf, useEventStream } from "../../live/use-event-stream.ts";
import { type Loaded, useLoaded } from "../../live/use-loaded.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { isEnded } from "../jobs/job-title.ts";

/** One job and its parts, as they change. */
export interface JobParts {
  readonly job: Loaded<JobView>;
  readonly tasks: Loaded<readonly TaskView[]>;
  readonly events: Loaded<readonly EventView[]>;
  readonly stream: StreamState;
  /** Asks for all of it anew. */
  readonly reload: () => void;
}

const GATHER_MS = 200;
const TASKS_MS = 1000;

/** Follows one job. */
export function useJob(id: string): JobParts {
  const api = useApi();
  const reloadTasks = useRef<() => void>(() => undefined);
  const updateJob = useRef<Loaded<JobView>["update"]>(() => undefined);
  const updateEvents = useRef<Loaded<readonly EventView[]>["update"]>(() => undefined);
  const jobBatch = useMemo(
    () =>
      createBatch<JobView>((changed) => {
        for (const job of changed.values()) updateJob.current(() => job);
      }, GATHER_MS),
    [],
  );
  // The stream tells of the job alone: its tasks are asked for, at most once a second.
  const taskBatch = useMemo(() => createBatch<null>(() => reloadTasks.current(), TASKS_MS), []);
  const eventBatch = useMemo(
    () =>
      createBatch<EventView>(
        (added) => updateEvents.current((events) => mergeEvents(events, [...added.values()])),
        GATHER_MS,
      ),
    [],
  );
  const stream = useEventStream(`/v1/jobs/${encodeURIComponent(id)}/events`, {
    onJob: (job) => {
      jobBatch.add(job.id, job);
      taskBatch.add(job.id, null);
    },
    onEvent: (event) => eventBatch.add(String(event.seq), event),
  });
  const refreshMs = refreshMsOf(stream);
  const job = useLoaded((signal) => api.getJob(id, signal), id, refreshMs);
  const tasks = useLoaded((signal) => api.listTasks(id, signal), id, refreshMs);
  const events = useLoaded((signal) => api.listEvents(id, signal), id, refreshMs);
  useEffect(() => {
    reloadTasks.current = tasks.reload;
    updateJob.current = job.update;
    updateEvents.current = events.update;
  });
  useEffect(
    () => () => {
      for (const batch of [jobBatch, taskBatch, eventBatch]) batch.stop();
    },
    [jobBatch, taskBatch, eventBatch],
  );
  useSpokenProgress(job.data);
  const reload = (): void => {
    for (const part of [job, tasks, events]) part.reload();
  };
  return { job, tasks, events, stream, reload };
}

const SPOKEN_STEPS = 4;

/** Reads out each quarter of the way, and the end. */
function useSpokenProgress(job: JobView | undefined): void {
  const announce = useAnnounce();
  const last = useRef<string | null>(null);
  useEffect(() => {
    if (job === undefined) return;
    const step = Math.floor(job.progress * SPOKEN_STEPS) * (100 / SPOKEN_STEPS);
    const news = isEnded(job.status) || step === 0 ? `Job ${job.status}` : `${step} % done`;
    // What was so when the page opened is read with the page.
    if (last.current !== null && last.current !== news) announce(news);
    last.current = news;
  }, [job, announce]);
}

function mergeEvents(events: readonly EventView[], added: readonly EventView[]): readonly EventView[] {
  const known = new Set(events.map(({ seq }) => seq));
  return [...events, ...added.filter(({ seq }) => !known.has(seq))].toSorted((one, other) => one.seq - other.seq);
}
