import { useId } from "react";

interface FileChooserProps {
  readonly label: string;
  readonly isMultiple: boolean;
  readonly isPrimary?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** Lets the user pick files from the device, by mouse or by keyboard. */
export function FileChooser({ label, isMultiple, isPrimary = false, onFiles }: FileChooserProps) {
  const inputId = useId();
  return (
    <>
      <input
        id={inputId}
        className="visually-hidden"
        type="file"
        multiple={isMultiple}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // So that choosing the same file again is noticed.
          event.target.value = "";
        }}
      />
      <label className={`button ${isPrimary ? "button-primary" : "button-plain"}`} htmlFor={inputId}>
        {label}
      </label>
    </>
  );
}
