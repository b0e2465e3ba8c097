import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import type { ApiError } from "../api/api-error.ts";
import { Button } from "./button.tsx";
import { ErrorNote } from "./error-note.tsx";

interface ConfirmDialogProps {
  readonly title: string;
  /** What will happen, and whether it can be undone. */
  readonly children: ReactNode;
  readonly confirmLabel: string;
  readonly kind?: "primary" | "danger";
  readonly isBusy: boolean;
  readonly error: ApiError | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before something is done; the browser keeps the focus inside and gives it back. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, confirmLabel, kind = "primary", isBusy, error, onConfirm, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closed before it goes: otherwise the focus would not return to where it was.
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={titleId}>{title}</h2>
      <div className="stack">
        {children}
        {error !== null && <ErrorNote error={error} />}
      </div>
      <div className="actions dialog-actions">
        <Button onClick={onClose}>Keep as it is</Button>
        <Button kind={kind} isBusy={isBusy} onClick={onConfirm}>
          {confirmLabel}
        </Button>
      </div>
    </dialog>
  );
}
