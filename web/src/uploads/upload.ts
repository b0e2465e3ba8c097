/** Where an upload stands. */
export type UploadState = "waiting" | "sending" | "paused" | "done" | "failed";

/** One file on its way to the server, or there. */
export interface UploadItem {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  readonly sentBytes: number;
  readonly state: UploadState;
  /** Key of the stored object; null before it is there. */
  readonly key: string | null;
  /** The parameter of the pipeline that the file is meant for; null: as the form has it. */
  readonly role: string | null;
  /** The failed job for which it is a reference; null: it is for the next job. */
  readonly jobId: string | null;
  /** Why it failed. */
  readonly message: string | null;
}

/** An upload that was broken off when the page was left. */
export interface BrokenUpload {
  readonly name: string;
  readonly bytes: number;
  readonly storageKey: string;
}

/** What becomes of one upload. */
export interface UploadHandlers {
  readonly onProgress: (sentBytes: number) => void;
  readonly onDone: (key: string) => void;
  readonly onError: (message: string) => void;
  readonly onUnauthorized: () => void;
}

/** The sending of one file, which can be stopped and gone on with. */
export interface FileUpload {
  /** Starts, or goes on. May reject with what went wrong, in place of telling it. */
  readonly start: () => Promise<void>;
  readonly pause: () => Promise<void>;
  /** Stops, and has the server forget what it has. */
  readonly cancel: () => Promise<void>;
}
