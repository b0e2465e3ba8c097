import { useId } from "react";
import type { Choices } from "./choices.ts";

interface ChoiceMenuProps {
  readonly label: string;
  readonly choices: Choices;
  readonly onChoose: (id: string) => void;
}

/** Asks for one of several; nothing where there is no choice. */
export function ChoiceMenu({ label, choices: { options, chosen }, onChoose }: ChoiceMenuProps) {
  const id = useId();
  if (options.length < 2) return null;
  return (
    <div className="inline-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={chosen} onChange={(event) => onChoose(event.target.value)}>
        {options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
