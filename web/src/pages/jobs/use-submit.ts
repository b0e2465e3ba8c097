import { useRef, useState } from "react";
import type { ApiError } from "../../api/api-error.ts";
import type { Json, NewJob } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useAction } from "../../live/use-action.ts";
import { navigate } from "../../routing/location.ts";
import { jobPath } from "../../routing/routes.ts";
import type { Field } from "../../schema-form/fields.ts";
import { type Answers, readParams } from "../../schema-form/params.ts";
import { createRandomId } from "../../uploads/random-id.ts";
import type { Role } from "../../uploads/upload-row.tsx";
import { useUploads } from "../../uploads/uploads-context.tsx";
import { findMissing, roleOf, sortFiles } from "./file-roles.ts";

/** What every job can be given besides its parameters. No parameter of a pipeline has a dot in its name. */
export const DELIVERY_FIELDS: readonly Field[] = [
  {
    name: "job.priority",
    label: "Priority",
    hint: "From -100 to 100; higher is taken first.",
    isRequired: false,
    fallback: 0,
    input: { kind: "number", isInteger: true, min: -100, max: 100 },
  },
  {
    name: "job.webhook",
    label: "Web address to tell",
    hint: "Receives a message when the job ends (webhook).",
    isRequired: false,
    fallback: undefined,
    input: { kind: "text" },
  },
  {
    name: "job.format",
    label: "Kind of message",
    hint: "What the web address understands.",
    isRequired: false,
    fallback: "standard",
    input: { kind: "choice", options: ["standard", "slack"] },
  },
];

/** A filled form. */
export interface Draft {
  readonly pipeline: string;
  readonly fields: readonly Field[];
  readonly roles: readonly Role[];
  readonly answers: Answers;
}

/** Sends filled forms. */
export interface Submission {
  readonly isBusy: boolean;
  readonly error: ApiError | null;
  /** What is wrong with the form, by field. */
  readonly errors: Readonly<Record<string, string>>;
  /** Whether the files are still those with which it was found wrong. */
  readonly areFilesTried: boolean;
  /** Starts the job and goes to its page. */
  readonly submit: (draft: Draft) => Promise<void>;
}

/** Sends a form once, however often the button is pressed. */
export function useSubmit(): Submission {
  const api = useApi();
  const { items, store } = useUploads();
  const action = useAction();
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [triedItems, setTriedItems] = useState(items);
  // The same job under the same key: sending it again after a broken connection makes no second job.
  const sent = useRef({ body: "", key: "" });
  const submit = async ({ pipeline, fields, roles, answers }: Draft): Promise<void> => {
    const own = readParams(fields, answers, sortFiles(items, roles));
    const delivery = readParams(DELIVERY_FIELDS, answers, {});
    setErrors({
      ...("errors" in own ? own.errors : {}),
      ...findMissing(items, fields, roles),
      ...("errors" in delivery ? delivery.errors : {}),
    });
    setTriedItems(items);
    if ("errors" in own || "errors" in delivery) return;
    const job = createJob(pipeline, own.params, delivery.params);
    const body = JSON.stringify(job);
    if (sent.current.body !== body) sent.current = { body, key: createRandomId() };
    await action.run(async () => {
      const { id } = await api.createJob(job, sent.current.key);
      for (const item of items) if (item.key !== null && roleOf(item, roles) !== null) store.remove(item.id);
      navigate(jobPath(id));
    });
  };
  return { isBusy: action.isBusy, error: action.error, errors, areFilesTried: triedItems === items, submit };
}

function createJob(pipeline: string, params: Json, delivery: Readonly<Record<string, Json>>): NewJob {
  const { "job.priority": priority, "job.webhook": url, "job.format": format } = delivery;
  return {
    pipeline,
    params,
    ...(typeof priority === "number" ? { priority } : {}),
    ...(typeof url === "string" ? { webhook: { url, format: format === "slack" ? "slack" : "standard" } } : {}),
  };
}
