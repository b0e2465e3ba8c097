/** A healthy recording that may serve as a reference. */
export interface ReferenceCandidate {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
  /** Equal for recordings whose tracks have the same codec configuration. */
  readonly signature: string;
}

/** Which healthy recording is tried first. */
export type ReferenceStrategy = "smallest" | "newest";

/** At most so many recordings of different configurations are handed to the engine. */
const MAX_CHOSEN = 4;

/** One recording of each configuration, in the strategy's order; equals by path, so that the choice does not waver. */
export function chooseByStrategy(
  candidates: readonly ReferenceCandidate[],
  strategy: ReferenceStrategy,
): readonly ReferenceCandidate[] {
  const sorted = candidates.toSorted((a, b) => costOf(a, strategy) - costOf(b, strategy) || (a.path < b.path ? -1 : 1));
  const signatures = new Set<string>();
  return sorted
    .filter(({ signature }) => {
      if (signatures.has(signature)) return false;
      signatures.add(signature);
      return true;
    })
    .slice(0, MAX_CHOSEN);
}

/** The recording with the least cost is tried first. */
export function costOf(
  { bytes, modifiedAtMs }: Pick<ReferenceCandidate, "bytes" | "modifiedAtMs">,
  strategy: ReferenceStrategy,
): number {
  return strategy === "smallest" ? bytes : -modifiedAtMs;
}
