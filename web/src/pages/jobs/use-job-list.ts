import { useEffect, useMemo, useRef } from "react";
import type { JobFilter } from "../../api/api.ts";
import type { JobPage, JobView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { createBatch } from "../../live/batch.ts";
import type { StreamState } from "../../live/event-stream.ts";
import { refreshMsOf, useEventStream } from "../../live/use-event-stream.ts";
import { type Loaded, useLoaded } from "../../live/use-loaded.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { mergeJobs } from "./job-list.ts";
import { isEnded, jobTitle } from "./job-title.ts";

const GATHER_MS = 200;

/** One page of jobs that changes as they do; jobs that end are read out. */
export function useJobList(filter: JobFilter): Loaded<JobPage> & { readonly stream: StreamState } {
  const api = useApi();
  const announce = useAnnounce();
  const told = useRef(new Set<string>());
  const latest = useRef({ filter, update: (_change: (page: JobPage) => JobPage): void => undefined });
  const batch = useMemo(
    () =>
      createBatch<JobView>(
        (changed) => latest.current.update((page) => mergeJobs(page, changed, latest.current.filter)),
        GATHER_MS,
      ),
    [],
  );
  const stream = useEventStream("/v1/events", {
    onJob: (job) => {
      batch.add(job.id, job);
      if (!isEnded(job.status)) told.current.delete(job.id);
      else if (!told.current.has(job.id)) {
        told.current.add(job.id);
        announce(`${jobTitle(job)}: ${job.status}`);
      }
    },
  });
  const loaded = useLoaded((signal) => api.listJobs(filter, signal), JSON.stringify(filter), refreshMsOf(stream));
  useEffect(() => {
    latest.current = { filter, update: loaded.update };
  });
  useEffect(() => batch.stop, [batch]);
  return { ...loaded, stream };
}
