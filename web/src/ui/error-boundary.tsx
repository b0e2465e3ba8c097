import { Component, type ReactNode } from "react";
import { toApiError } from "../api/api-error.ts";
import { ErrorNote } from "./error-note.tsx";

interface ErrorBoundaryState {
  readonly error: unknown;
}

/** Keeps a page that cannot be drawn from taking the others down. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: null };

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <ErrorNote error={toApiError(this.state.error)} title="This page cannot be shown" />;
  }
}
