import { FILES, type Recording, type Recordings } from "./recordings.ts";
import { createOutputDraft, type OutputDraft } from "./write-output.ts";

/** Where a repair reads and where it writes. */
export interface RepairPlace {
  readonly recordings: Recordings;
  /** Prepares an output that is made of a damaged recording. */
  readonly createDraft: (damaged: Recording, target: string) => OutputDraft;
}

/** The files of this machine. */
export const LOCAL_PLACE: RepairPlace = { recordings: FILES, createDraft: createOutputDraft };
