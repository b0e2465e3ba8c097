import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A stand-in for untrunc that waits until it is let go, and then gives its reference as the result. */
export interface HeldUntrunc {
  /** With the stand-in before all else. */
  readonly searchPath: string;
  /** Numbers of the workers whose untrunc waits. */
  waiting(): readonly number[];
  /** Lets one worker's untrunc go. */
  release(worker: number): void;
  /** Lets all go, those that come later too, or holds those that come from now on. */
  hold(isHeld: boolean): void;
  /** Kills the workers whose untrunc waits. */
  killWaiting(): void;
}

/** Puts the stand-in into `folder`. It ends where its worker is gone. */
export function installHeldUntrunc(folder: string): HeldUntrunc {
  const bin = join(folder, "bin");
  const state = join(folder, "state");
  mkdirSync(bin, { recursive: true });
  mkdirSync(state);
  const gate = join(state, "gate");
  // A task that is cancelled ends it, and then it does not wait any more.
  const script = `#!/bin/sh
trap 'rm -f "${state}/waiting-$PPID"' EXIT
trap 'exit 1' TERM
: > "${state}/waiting-$PPID"
while [ ! -e "${gate}" ] && [ ! -e "${state}/go-$PPID" ]; do
  kill -0 "$PPID" 2> /dev/null || exit 1
  sleep 0.05
done
rm -f "${state}/go-$PPID"
cp "$5" "$4"
`;
  writeFileSync(join(bin, "untrunc"), script);
  chmodSync(join(bin, "untrunc"), 0o755);
  const waiting = (): readonly number[] =>
    readdirSync(state).flatMap((name) => (name.startsWith("waiting-") ? [Number(name.slice("waiting-".length))] : []));
  return {
    searchPath: `${bin}:${process.env["PATH"]}`,
    waiting,
    release: (worker) => writeFileSync(join(state, `go-${worker}`), ""),
    hold: (isHeld) => {
      if (isHeld) rmSync(gate, { force: true });
      else writeFileSync(gate, "");
    },
    killWaiting: () => {
      for (const worker of waiting()) {
        rmSync(join(state, `waiting-${worker}`), { force: true });
        if (existsSync(`/proc/${worker}`)) process.kill(worker, "SIGKILL");
      }
    },
  };
}
