import { type FormEvent, useId, useState } from "react";
import { type ApiError, toApiError } from "../api/api-error.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { useKeyGate } from "./key-gate.ts";

/** Asks for the API key. */
export function KeyPage() {
  const { enter } = useKeyGate();
  const [key, setKey] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const fieldId = useId();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setIsBusy(true);
    try {
      await enter(key.trim());
    } catch (thrown) {
      setError(toApiError(thrown));
      setIsBusy(false);
    }
  };
  return (
    <div className="narrow">
      <PageHeading title="API key" />
      <form className="card stack" onSubmit={(event) => void submit(event)}>
        <p>
          This server is protected. Enter one of its API keys; it is forgotten when you sign out, and at the latest when
          you close the browser, unless that opens its tabs again.
        </p>
        <div className="field">
          <label htmlFor={fieldId}>API key</label>
          <input
            id={fieldId}
            type="password"
            autoComplete="current-password"
            required
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </div>
        {error !== null && (
          <ErrorNote error={error} title={error.status === 401 ? "This key is not known to the server" : "No answer"} />
        )}
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Open the dashboard
        </Button>
      </form>
    </div>
  );
}
