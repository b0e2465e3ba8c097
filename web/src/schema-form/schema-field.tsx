import { useId } from "react";
import { showWords } from "../ui/formats.ts";
import type { Field } from "./fields.ts";

interface SchemaFieldProps {
  readonly field: Field;
  readonly answer: string | boolean | undefined;
  readonly error: string | undefined;
  readonly onAnswer: (answer: string | boolean) => void;
}

/** Asks for one parameter. */
export function SchemaField({ field, answer, error, onAnswer }: SchemaFieldProps) {
  const fieldId = useId();
  const hints = [field.hint === null ? null : `${fieldId}-hint`, error === undefined ? null : `${fieldId}-error`];
  const describedBy = hints.filter((hint) => hint !== null).join(" ") || undefined;
  const control = { id: fieldId, "aria-describedby": describedBy, "aria-invalid": error !== undefined };
  const isSwitch = field.input.kind === "switch";
  return (
    <div className={isSwitch ? "field field-switch" : "field"}>
      <label htmlFor={fieldId}>
        {field.label}
        {field.isRequired && <span className="muted"> (needed)</span>}
      </label>
      <Control field={field} answer={answer} onAnswer={onAnswer} control={control} />
      {field.hint !== null && (
        <p id={`${fieldId}-hint`} className="hint">
          {field.hint}
        </p>
      )}
      {error !== undefined && (
        <p id={`${fieldId}-error`} className="field-error">
          {error}
        </p>
      )}
    </div>
  );
}

interface ControlProps extends Omit<SchemaFieldProps, "error"> {
  readonly control: {
    readonly id: string;
    readonly "aria-describedby": string | undefined;
    readonly "aria-invalid": boolean;
  };
}

function Control({ field, answer, onAnswer, control }: ControlProps) {
  const { input, fallback, optionLabels = {} } = field;
  const nameOf = (option: string): string => optionLabels[option] ?? showWords(option);
  const text = typeof answer === "string" ? answer : "";
  const onChange = (event: { readonly target: { readonly value: string } }): void => onAnswer(event.target.value);
  switch (input.kind) {
    case "switch":
      return (
        <input
          {...control}
          type="checkbox"
          checked={typeof answer === "boolean" ? answer : fallback === true}
          onChange={(event) => onAnswer(event.target.checked)}
        />
      );
    case "choice":
      return (
        <select {...control} value={text} onChange={onChange}>
          <option value="">{describeDefault(field, nameOf)}</option>
          {input.options.map((option) => (
            <option key={option} value={option}>
              {nameOf(option)}
            </option>
          ))}
        </select>
      );
    case "number":
      return (
        <input
          {...control}
          inputMode={input.isInteger ? "numeric" : "decimal"}
          placeholder={typeof fallback === "number" ? String(fallback) : undefined}
          value={text}
          onChange={onChange}
        />
      );
    case "lines":
    case "json":
      return <textarea {...control} rows={3} spellCheck={false} value={text} onChange={onChange} />;
    default:
      return (
        <input
          {...control}
          type="text"
          spellCheck={false}
          placeholder={typeof fallback === "string" ? fallback : undefined}
          value={text}
          onChange={onChange}
        />
      );
  }
}

/** What it means that nothing was chosen. */
function describeDefault({ fallback, isRequired }: Field, nameOf: (option: string) => string): string {
  if (typeof fallback === "string") return `Default (${nameOf(fallback)})`;
  return isRequired ? "Choose …" : "Default";
}
