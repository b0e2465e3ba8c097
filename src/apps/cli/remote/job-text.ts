import type { Json } from "../../../base/json.ts";
import type { JobView, TaskView } from "../client/views.ts";
import { formatTable } from "../table.ts";
import { formatError, formatFields, formatJson, formatPercent, formatTaskCounts, formatTime } from "./text.ts";

/** A job for people: what it is, its tasks, its result. */
export function formatJob(job: JobView, tasks: readonly TaskView[]): string {
  const sections = [
    formatFields([
      ["job", job.id],
      ["pipeline", job.pipeline],
      ["status", `${job.status}${job.status === "running" ? `, ${job.stage} ${formatPercent(job.progress)}` : ""}`],
      ["tasks", formatTaskCounts(job)],
      ["attempt", String(job.attempt)],
      ["priority", job.priority === 0 ? "" : String(job.priority)],
      ["replay of", job.parentJobId ?? ""],
      ["created", formatTime(job.createdAt)],
      ["started", formatTime(job.startedAt)],
      ["finished", formatTime(job.finishedAt)],
      ["error", formatError(job.error)],
    ]),
  ];
  if (tasks.length > 0) sections.push(formatTasks(tasks));
  if (job.result !== null) sections.push(formatResult(job.result));
  return sections.join("\n");
}

function formatTasks(tasks: readonly TaskView[]): string {
  const columns = [
    { title: "stage" },
    { title: "task", align: "right" },
    { title: "status" },
    { title: "attempt", align: "right" },
    { title: "failures", align: "right" },
    { title: "done", align: "right" },
    { title: "what" },
    { title: "error" },
  ] as const;
  const rows = tasks.map((task) => [
    task.stage,
    String(task.index),
    task.status,
    String(task.attempt),
    String(task.failures),
    formatPercent(task.progress),
    task.status === "running" && task.phase !== "" ? `${task.label}: ${task.phase}` : task.label,
    formatError(task.error),
  ]);
  return formatTable(columns, rows);
}

/** Files as a table where the result lists files, as repair's does; else the result as it is. */
export function formatResult(result: Json): string {
  const files = listFiles(result);
  if (files.length === 0) return formatJson(result);
  const rows = files.map((file) => [file.status, file.input, file.output ?? "", file.error]);
  return formatTable([{ title: "status" }, { title: "input" }, { title: "output" }, { title: "error" }], rows);
}

/** Keys of the objects that a job made, in the order of its result, none twice. */
export function outputKeys(result: Json): readonly string[] {
  const single = fieldOf(result, "output");
  const several = listFiles(result).flatMap(({ output }) => (output === null ? [] : [output]));
  return [...new Set(typeof single === "string" ? [single, ...several] : several)];
}

/** What is converted to which codec, by the params of a job; undefined of those that convert nothing. */
export function conversionOf(params: Json): { readonly input: string; readonly to: string } | undefined {
  const [input, to] = [textOf(fieldOf(params, "input")), textOf(fieldOf(params, "to"))];
  return input === undefined || to === undefined ? undefined : { input, to };
}

/** Key of the playlist that a job's package begins with; undefined where it made none. */
export function packageKey(result: Json): string | undefined {
  return textOf(fieldOf(result, "playlist"));
}

/** Whether jobs make a package, by what the server tells of their results. */
export function makesPackage(resultSchema: Json): boolean {
  return fieldOf(fieldOf(resultSchema, "properties"), "playlist") !== null;
}

interface ResultFile {
  readonly status: string;
  readonly input: string;
  readonly output: string | null;
  readonly error: string;
}

function listFiles(result: Json): readonly ResultFile[] {
  const files = fieldOf(result, "files");
  if (!Array.isArray(files)) return [];
  return (files as readonly Json[]).map((file) => ({
    status: textOf(fieldOf(file, "status")) ?? "",
    input: textOf(fieldOf(file, "input")) ?? "",
    output: textOf(fieldOf(file, "output")) ?? null,
    error: textOf(fieldOf(fieldOf(file, "error"), "message")) ?? "",
  }));
}

function fieldOf(value: Json, name: string): Json {
  if (value === null || typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, name)) return null;
  return (value as Readonly<Record<string, Json>>)[name] ?? null;
}

function textOf(value: Json): string | undefined {
  return typeof value === "string" ? value : undefined;
}
