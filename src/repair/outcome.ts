import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Movie } from "../media/isobmff/movie.ts";
import type { Pause } from "./data-end.ts";
import type { RepairReport } from "./report.ts";
import type { ScanProgress } from "./scan/scanner.ts";
import type { OutputLayout } from "./write/layout.ts";

/** A healthy recording to learn from. */
export interface Reference {
  /** How messages call it. */
  readonly name: string;
  readonly source: ByteSource;
}

/** What a repair may be told. */
export interface RepairOptions {
  /** Put the index in front of the data, for players that stream. Default false. */
  readonly faststart?: boolean;
  readonly onProgress?: ScanProgress;
  /** Called now and then where a file is looked at without being scanned. */
  readonly onPause?: Pause;
}

/** What a scan with a reference rests on. Whether its parameters are those of the damaged file, only a decoder can tell. */
export interface Learnt {
  /** The recovered movie; its offsets are those of the damaged file. */
  readonly movie: Movie;
  readonly reference: { readonly name: string; readonly movie: Movie };
}

/** How a repair came out: the report, and how to write the file; no layout where nothing needs writing. */
export interface RepairOutcome {
  readonly report: RepairReport;
  readonly layout?: OutputLayout;
  /** Absent where no reference was learnt from by a scan. */
  readonly learnt?: Learnt;
}
