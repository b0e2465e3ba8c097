import { appendFileSync, createReadStream, rmSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Json } from "../../base/json.ts";
import { makeFolderSync } from "../../base/make-folder.ts";
import { lastLines } from "../../jobs/log-lines.ts";

/** Keeps the log lines of each job, whichever process wrote them. */
export interface JobLogs {
  /** Takes a line of JSON; kept where it carries a `job_id`. Never throws: a log that cannot be kept holds no work up. */
  write(line: string): void;
  /** The last lines of a job, up to `limit`, in the order of their times. */
  read(jobId: string, limit: number): Promise<readonly Json[]>;
  remove(jobId: string): void;
  /**
   * Jobs whose last line was written then or later, in milliseconds since 1970-01-01T00:00:00Z, with the files of their lines. It looks at the time of each
   * file there is: a quarter of a second for ten thousand.
   */
  listNewer(sinceMs: number): Promise<readonly { readonly jobId: string; readonly path: string }[]>;
  /** Jobs whose last line was written before that, in milliseconds since 1970-01-01T00:00:00Z. */
  listOlder(beforeMs: number): Promise<readonly string[]>;
}

const JOB_ID = /^[0-9a-f-]{36}$/;

/** Logs as one file a job in `folder`, a line of JSON each. */
export function createJobLogs(folder: string): JobLogs {
  makeFolderSync(folder);
  const pathOf = (jobId: string): string => join(folder, `${jobId}.jsonl`);
  const listTimes = async () => {
    const found: { readonly jobId: string; readonly writtenAtMs: number }[] = [];
    for (const name of await readdir(folder)) {
      const jobId = name.replace(/\.jsonl$/, "");
      // One that was removed meanwhile is not there to be listed.
      const stats = JOB_ID.test(jobId) ? await stat(pathOf(jobId)).catch(() => undefined) : undefined;
      if (stats !== undefined) found.push({ jobId, writtenAtMs: stats.mtimeMs });
    }
    return found;
  };
  return {
    write: (line) => {
      const jobId = /"job_id":"([^"]+)"/.exec(line)?.[1];
      if (jobId === undefined || !JOB_ID.test(jobId)) return;
      try {
        // A short line appended at once is never mixed with another process's.
        appendFileSync(pathOf(jobId), line);
      } catch {
        // The line went to the process's own log as well, which is where a full disk shows.
      }
    },
    read: async (jobId, limit) => {
      if (!JOB_ID.test(jobId)) return [];
      const lines: Json[] = [];
      try {
        for await (const text of createInterface({ input: createReadStream(pathOf(jobId)) })) {
          const line = parseLine(text);
          if (line !== undefined) lines.push(line);
          if (lines.length > 2 * limit) lines.splice(0, lines.length - limit);
        }
      } catch (error) {
        // A job that said nothing has no file.
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      }
      return lastLines(lines, limit);
    },
    remove: (jobId) => {
      if (JOB_ID.test(jobId)) rmSync(pathOf(jobId), { force: true });
    },
    listNewer: async (sinceMs) => {
      const all = await listTimes();
      return all
        .filter(({ writtenAtMs }) => writtenAtMs >= sinceMs)
        .map(({ jobId }) => ({ jobId, path: pathOf(jobId) }));
    },
    listOlder: async (beforeMs) => {
      const all = await listTimes();
      return all.filter(({ writtenAtMs }) => writtenAtMs < beforeMs).map(({ jobId }) => jobId);
    },
  };
}

/** The lines of a log's file. */
export function parseLog(text: string): readonly Json[] {
  return text.split("\n").flatMap((line) => parseLine(line) ?? []);
}

/** Undefined for a line that a crash cut short. */
function parseLine(text: string): Json | undefined {
  try {
    return (JSON.parse(text) as Json) ?? undefined;
  } catch {
    return undefined;
  }
}
