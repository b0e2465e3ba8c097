/** The resolved configuration. */
export interface Config {
  readonly logFormat: "json" | "text";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Path or name of the ffmpeg program. */
  readonly ffmpeg: string;
  /** Path or name of the ffprobe program. */
  readonly ffprobe: string;
  /** Bound on one run of either program, in milliseconds, 1000 to 604,800,000. */
  readonly ffmpegTimeoutMs: number;
  /** Bound on one run of untrunc, in milliseconds, 1000 to 604,800,000. */
  readonly untruncTimeoutMs: number;
}

/** Environment variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const SETTING_NAME = /^(LOG|REELMILL|UNTRUNC)_/;

/**
 * The configuration where no variable sets anything, which is how most commands run; undefined where one may, and
 * `loadConfig` has to look. Keeps the schema library out of the start of short commands.
 */
export function defaultConfigFor(environment: Environment): Config | undefined {
  if (Object.keys(environment).some((name) => SETTING_NAME.test(name))) return undefined;
  return {
    logFormat: "text",
    logLevel: "info",
    ffmpeg: "ffmpeg",
    ffprobe: "ffprobe",
    ffmpegTimeoutMs: 3_600_000,
    untruncTimeoutMs: 3_600_000,
  };
}
