import { showMessage } from "./formats.ts";
import { Icon } from "./icon.tsx";

interface ErrorNoteProps {
  readonly error: { readonly code: string; readonly message: string };
  readonly title?: string;
  /** Whether it is read out at once; not for what was known when the page opened. */
  readonly isNews?: boolean;
}

/** Says what went wrong, in the user's terms, with the code under which the documentation knows it. */
export function ErrorNote({ error, title, isNews = true }: ErrorNoteProps) {
  return (
    <div className="note note-failed" role={isNews ? "alert" : undefined}>
      <Icon name="failed" />
      <div>
        {title !== undefined && <strong>{title}. </strong>}
        <span>{showMessage(error.message)}</span> <code className="code">{error.code}</code>
      </div>
    </div>
  );
}
