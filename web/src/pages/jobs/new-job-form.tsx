import { type FormEvent, useMemo, useState } from "react";
import type { PipelineView } from "../../api/types.ts";
import { parseFields } from "../../schema-form/fields.ts";
import { type Answers, readParams } from "../../schema-form/params.ts";
import { SchemaField } from "../../schema-form/schema-field.tsx";
import { Button } from "../../ui/button.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { formatCount } from "../../ui/formats.ts";
import { Icon } from "../../ui/icon.tsx";
import { type Role, UploadRow } from "../../uploads/upload-row.tsx";
import { useUploads } from "../../uploads/uploads-context.tsx";
import { CostNote } from "./cost-note.tsx";
import { findMissing, roleOf, rolesOf, sortFiles } from "./file-roles.ts";
import { PipelineChoice } from "./pipeline-choice.tsx";
import { isOffered, isRare, namePipeline, putPlainly } from "./plain-words.ts";
import { DELIVERY_FIELDS, useSubmit } from "./use-submit.ts";

/** Asks what to do with the files, and has it done. */
export function NewJobForm({ pipelines }: { readonly pipelines: readonly PipelineView[] }) {
  const { items } = useUploads();
  const [name, setName] = useState(pipelines[0]?.name);
  const pipeline = pipelines.find((one) => one.name === name) ?? pipelines[0];
  const fields = useMemo(
    () =>
      parseFields(pipeline?.paramsSchema ?? null)
        .filter(isOffered)
        .map((field) => putPlainly(field, pipeline?.name ?? "")),
    [pipeline],
  );
  const [answers, setAnswers] = useState<Answers>({});
  const submission = useSubmit();
  if (pipeline === undefined) return <p>This server has no pipelines.</p>;
  const roles = rolesOf(fields, pipeline.name);
  const isUploading = items.some(({ state }) => state === "sending" || state === "waiting");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isUploading) void submission.submit({ pipeline: pipeline.name, fields, roles, answers });
  };
  const renderField = (field: (typeof fields)[number]) => (
    <SchemaField
      key={`${pipeline.name} ${field.name}`}
      field={field}
      answer={answers[field.name]}
      error={submission.errors[field.name]}
      onAnswer={(answer) => setAnswers((before) => ({ ...before, [field.name]: answer }))}
    />
  );
  const options = fields.filter(({ input }) => input.kind !== "files");
  const rare = [...options.filter(isRare), ...DELIVERY_FIELDS];
  const missing = items.length === 0 ? [] : Object.values(findMissing(items, fields, roles));
  const isComplete = items.length > 0 && missing.length === 0 && !isUploading;
  const outcome = isComplete ? readParams(fields, answers, sortFiles(items, roles)) : undefined;
  // Before there are files, what is missing goes without saying until the form is sent.
  const fileErrors = submission.areFilesTried ? roles.flatMap((role) => submission.errors[role.name] ?? []) : [];
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <ChosenFiles roles={roles} missing={missing} errors={fileErrors} />
      <PipelineChoice pipelines={pipelines} chosen={pipeline} onChoose={setName} />
      <div className="form-grid">{options.filter((field) => !isRare(field)).map(renderField)}</div>
      {/* What is wrong must be seen. */}
      <details open={rare.some((field) => submission.errors[field.name] !== undefined)}>
        <summary>More options</summary>
        <div className="form-grid">{rare.map(renderField)}</div>
      </details>
      {outcome !== undefined && "params" in outcome && <CostNote pipeline={pipeline.name} params={outcome.params} />}
      {submission.error !== null && <ErrorNote error={submission.error} title="The job was not started" />}
      <div className="actions">
        <Button kind="primary" type="submit" isBusy={submission.isBusy || isUploading} isDisabled={missing.length > 0}>
          {isUploading ? "Uploading…" : `Start ${namePipeline(pipeline.name)}`}
        </Button>
        {items.length > 0 && <span className="muted">{formatCount(items.length, "file")}</span>}
      </div>
    </form>
  );
}

interface ChosenFilesProps {
  readonly roles: readonly Role[];
  /** What is to be chosen before the form can be sent. */
  readonly missing: readonly string[];
  /** What was wrong when it was sent. */
  readonly errors: readonly string[];
}

function ChosenFiles({ roles, missing, errors }: ChosenFilesProps) {
  const { items, store } = useUploads();
  return (
    <>
      {items.length > 0 && (
        <ul className="upload-list" aria-label="Files">
          {items.map((item) => (
            <UploadRow key={item.id} item={item} store={store} roles={roles} role={roleOf(item, roles)} />
          ))}
        </ul>
      )}
      {missing.map((message) => (
        <p key={message} className="note note-partial" role="status">
          <Icon name="partial" />
          {message}
        </p>
      ))}
      {errors.map((message) => (
        <p key={message} className="field-error" role="alert">
          {message}
        </p>
      ))}
    </>
  );
}
