import { dirname, resolve } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { extensionOf } from "../../base/output-path.ts";
import { type Classification, classifyFile, hasSoundSamples } from "./classify.ts";
import { collectInputs } from "./inputs.ts";
import type { Recordings } from "./recordings.ts";

/** At most so many files are looked at for one that may serve. */
const MAX_CANDIDATES = 500;
/** At most so many recordings of different configurations are handed to the engine when nobody named them. */
const MAX_CHOSEN = 4;

/** Earlier results of ours: better than nothing, but second to what a camera wrote. */
const REPAIRED_NAME = /_repaired(-\d+)?\.[^.]+$/;

/** What a damaged file may learn from. */
export interface ReferenceChoice {
  readonly paths: readonly string[];
  /** Named ones that cannot serve, in the user's terms. */
  readonly notices: readonly string[];
}

/** Chooses references; remembers what it looked at. */
export interface ReferencePool {
  /** Whether the user named references; else they are sought. */
  readonly isNamed: boolean;
  /** Whether a damaged file still has an index of its own, sound or not. */
  hasIndex(damagedPath: string): boolean;
  /** References for a damaged file, the fittest first. Throws REFERENCE_UNUSABLE where none of the named ones can serve. */
  choose(damagedPath: string): ReferenceChoice;
  /** Those of `paths` whose configuration is another than that of `path`. */
  unlike(paths: readonly string[], path: string): readonly string[];
}

interface Candidate {
  readonly path: string;
  readonly classification: Classification;
}

/**
 * Creates the pool. With `named` paths those alone are used, folders by their healthy recordings; else the healthy ones
 * among `inputs` and in the damaged file's folder. Throws INPUT_NOT_FOUND, INPUT_UNREADABLE or INPUT_SYMLINK_LOOP for a
 * named path that is not there.
 */
export function createReferencePool(
  named: readonly string[],
  inputs: readonly string[],
  recordings: Recordings,
): ReferencePool {
  const looks: Looks = {
    classify: remember((path) => tryClassify(path, recordings)),
    isSound: remember((path) => hasSoundSamples(path, recordings)),
    stat: remember(recordings.stat),
  };
  const { classify } = looks;
  const list = remember(recordings.list);
  const [files, folders] = splitNamed(named, recordings);
  // Walked once for the whole run, and only where a damaged file wants it.
  const collect = remember(() => collectInputs(folders).files.map((file) => file.path));
  return {
    isNamed: named.length > 0,
    hasIndex: (damagedPath) => {
      const own = classify(damagedPath);
      return !(own instanceof Error) && own.hasIndex;
    },
    choose: (damagedPath) => {
      if (named.length === 0) {
        const sought = [...new Set([...list(dirname(damagedPath)), ...inputs])];
        return { paths: rank(damagedPath, sought, looks), notices: [] };
      }
      return chooseNamed(damagedPath, { files, folders, found: folders.length > 0 ? collect("") : [] }, looks);
    },
    unlike: (paths, path) => {
      const signature = signatureOf(classify(path));
      return paths.filter((other) => other !== path && signatureOf(classify(other)) !== signature);
    },
  };
}

/** One call of `look` per path. */
function remember<T>(look: (path: string) => T): (path: string) => T {
  const known = new Map<string, { readonly answer: T }>();
  return (path) => {
    const key = resolve(path);
    const answered = known.get(key) ?? { answer: look(path) };
    known.set(key, answered);
    return answered.answer;
  };
}

function signatureOf(classification: Classification | Error): string | undefined {
  return classification instanceof Error ? undefined : classification.signature;
}

function splitNamed(
  named: readonly string[],
  { isFolder }: Recordings,
): readonly [files: readonly string[], folders: readonly string[]] {
  const folders = named.filter(isFolder);
  return [named.filter((path) => !folders.includes(path)), folders];
}

function tryClassify(path: string, recordings: Recordings): Classification | Error {
  try {
    return classifyFile(path, recordings);
  } catch (error) {
    if (error instanceof ReelmillError) return error;
    throw error;
  }
}

function isSameFile(a: string, b: string, { stat }: Looks): boolean {
  const [first, second] = [a, b].map(stat);
  return first !== undefined && second !== undefined && first.identity === second.identity;
}

/** What is asked of files, each once in a run. */
interface Looks {
  readonly classify: (path: string) => Classification | Error;
  /** Whether a healthy file's samples are there, too. */
  readonly isSound: (path: string) => boolean;
  /** Undefined where nothing lies there. */
  readonly stat: Recordings["stat"];
}

/** What the user named. */
interface Named {
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** Recordings in the folders. */
  readonly found: readonly string[];
}

function chooseNamed(damagedPath: string, { files, folders, found }: Named, looks: Looks): ReferenceChoice {
  const notices: string[] = [];
  const usable = files.filter((path) => {
    const classification = looks.classify(path);
    const isSame = isSameFile(path, damagedPath, looks);
    const problem = isSame ? "it is the damaged file itself" : problemOf(classification);
    if (problem === "") return true;
    // One named by the user that is itself cut short still teaches what its index says and its bytes show.
    const isUsable = !isSame && !(classification instanceof Error) && classification.hasIndex;
    notices.push(`The reference ${path} ${isUsable ? "is itself damaged" : "cannot be used"}: ${problem}.`);
    return isUsable;
  });
  const paths = [...usable, ...rank(damagedPath, found, looks)];
  if (paths.length > 0) return { paths, notices };
  const reasons = notices.length > 0 ? notices : [`No healthy recording lies in ${folders.join(", ")}.`];
  throw new ReelmillError("REFERENCE_UNUSABLE", reasons.join(" "), { advice: "Give a file that plays." });
}

function problemOf(classification: Classification | Error): string {
  if (classification instanceof Error) return classification.message.replace(/\.$/, "");
  return classification.reason;
}

/** The healthiest and likest: same folder, extension and brand, then nearest in time; one of each configuration. */
function rank(damagedPath: string, paths: readonly string[], looks: Looks): readonly string[] {
  const { classify } = looks;
  const own = classify(damagedPath);
  const candidates = paths
    .slice(0, MAX_CANDIDATES)
    .filter((path) => !isSameFile(path, damagedPath, looks))
    .flatMap((path): readonly Candidate[] => {
      const classification = classify(path);
      return classification instanceof Error || classification.health !== "healthy" ? [] : [{ path, classification }];
    });
  const brand = own instanceof Error ? "" : own.brand;
  const costs = new Map(
    candidates.map((candidate) => [candidate.path, unlikenessOf(candidate, damagedPath, brand, looks)]),
  );
  const sorted = candidates.toSorted((a, b) => (costs.get(a.path) ?? 0) - (costs.get(b.path) ?? 0));
  const signatures = new Set<string>();
  const chosen: string[] = [];
  for (const { path, classification } of sorted) {
    if (chosen.length === MAX_CHOSEN) break;
    // The second look is for those alone that would be used.
    if (signatures.has(classification.signature) || !looks.isSound(path)) continue;
    signatures.add(classification.signature);
    chosen.push(path);
  }
  return chosen;
}

/** Days between two recordings, plus what outweighs any number of them. */
function unlikenessOf(
  { path, classification }: Candidate,
  damagedPath: string,
  brand: string,
  { stat }: Looks,
): number {
  const mtimes = [path, damagedPath].map((file) => stat(file)?.modifiedAtMs ?? 0);
  const days = Math.abs((mtimes[0] ?? 0) - (mtimes[1] ?? 0)) / 86_400_000;
  const isElsewhere = dirname(resolve(path)) !== dirname(resolve(damagedPath));
  const isOtherBrand = brand !== "" && classification.brand !== brand;
  const isOtherExtension = extensionOf(path) !== extensionOf(damagedPath);
  const isRepaired = REPAIRED_NAME.test(path);
  return (
    days + (isRepaired ? 8e6 : 0) + (isOtherBrand ? 4e6 : 0) + (isOtherExtension ? 2e6 : 0) + (isElsewhere ? 1e6 : 0)
  );
}
