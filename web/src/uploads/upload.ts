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
