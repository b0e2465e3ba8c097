import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { type Classification, classifyFile } from "./classify.ts";
import { translateInputError } from "./file-errors.ts";
import { identityOf } from "./file-source.ts";
import { collectInputs, listFolder } from "./inputs.ts";
import { extensionOf } from "./output-path.ts";

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
export function createReferencePool(named: readonly string[], inputs: readonly string[]): ReferencePool {
  const classifications = new Map<string, Classification | Error>();
  const classify = (path: string): Classification | Error => {
    const known = classifications.get(resolve(path));
    if (known !== undefined) return known;
    const made = tryClassify(path);
    classifications.set(resolve(path), made);
    return made;
  };
  const [files, folders] = splitNamed(named);
  return {
    isNamed: named.length > 0,
    hasIndex: (damagedPath) => {
      const own = classify(damagedPath);
      return !(own instanceof Error) && own.hasIndex;
    },
    choose: (damagedPath) => {
      if (named.length === 0) {
        const sought = [...new Set([...listFolder(dirname(damagedPath)), ...inputs])];
        return { paths: rank(damagedPath, sought, classify), notices: [] };
      }
      return chooseNamed(damagedPath, files, folders, classify);
    },
    unlike: (paths, path) => {
      const signature = signatureOf(classify(path));
      return paths.filter((other) => other !== path && signatureOf(classify(other)) !== signature);
    },
  };
}

function signatureOf(classification: Classification | Error): string | undefined {
  return classification instanceof Error ? undefined : classification.signature;
}

function splitNamed(named: readonly string[]): readonly [files: readonly string[], folders: readonly string[]] {
  const isFolder = (path: string): boolean => {
    try {
      return statSync(path).isDirectory();
    } catch (error) {
      throw translateInputError(`The reference ${path}`, error);
    }
  };
  const folders = named.filter(isFolder);
  return [named.filter((path) => !folders.includes(path)), folders];
}

function tryClassify(path: string): Classification | Error {
  try {
    return classifyFile(path);
  } catch (error) {
    if (error instanceof ReelmillError) return error;
    throw error;
  }
}

function isSameFile(a: string, b: string): boolean {
  const [first, second] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && identityOf(first) === identityOf(second);
}

function chooseNamed(
  damagedPath: string,
  files: readonly string[],
  folders: readonly string[],
  classify: (path: string) => Classification | Error,
): ReferenceChoice {
  const notices: string[] = [];
  const usable = files.filter((path) => {
    const classification = classify(path);
    const isSame = isSameFile(path, damagedPath);
    const problem = isSame ? "it is the damaged file itself" : problemOf(classification);
    if (problem === "") return true;
    // One named by the user that is itself cut short still teaches what its index says and its bytes show.
    const isUsable = !isSame && !(classification instanceof Error) && classification.hasIndex;
    notices.push(`The reference ${path} ${isUsable ? "is itself damaged" : "cannot be used"}: ${problem}.`);
    return isUsable;
  });
  const found = collectInputs(folders).files.map((file) => file.path);
  const paths = [...usable, ...rank(damagedPath, found, classify)];
  if (paths.length > 0) return { paths, notices };
  const reasons = notices.length > 0 ? notices : [`No healthy recording lies in ${folders.join(", ")}.`];
  throw new ReelmillError("REFERENCE_UNUSABLE", `${reasons.join(" ")} Give a file that plays.`);
}

function problemOf(classification: Classification | Error): string {
  if (classification instanceof Error) return classification.message.replace(/\.$/, "");
  return classification.reason;
}

/** The healthiest and likest: same folder, extension and brand, then nearest in time; one of each configuration. */
function rank(
  damagedPath: string,
  paths: readonly string[],
  classify: (path: string) => Classification | Error,
): readonly string[] {
  const own = classify(damagedPath);
  const candidates = paths
    .slice(0, MAX_CANDIDATES)
    .filter((path) => !isSameFile(path, damagedPath))
    .flatMap((path): readonly Candidate[] => {
      const classification = classify(path);
      return classification instanceof Error || classification.health !== "healthy" ? [] : [{ path, classification }];
    });
  const brand = own instanceof Error ? "" : own.brand;
  const costs = new Map(candidates.map((candidate) => [candidate.path, unlikenessOf(candidate, damagedPath, brand)]));
  const sorted = candidates.toSorted((a, b) => (costs.get(a.path) ?? 0) - (costs.get(b.path) ?? 0));
  const signatures = new Set<string>();
  const distinct = sorted.filter(({ classification: { signature } }) => {
    const isNew = !signatures.has(signature);
    signatures.add(signature);
    return isNew;
  });
  return distinct.slice(0, MAX_CHOSEN).map((candidate) => candidate.path);
}

/** Days between two recordings, plus what outweighs any number of them. */
function unlikenessOf({ path, classification }: Candidate, damagedPath: string, brand: string): number {
  const mtimes = [path, damagedPath].map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const days = Math.abs((mtimes[0] ?? 0) - (mtimes[1] ?? 0)) / 86_400_000;
  const isElsewhere = dirname(resolve(path)) !== dirname(resolve(damagedPath));
  const isOtherBrand = brand !== "" && classification.brand !== brand;
  const isOtherExtension = extensionOf(path) !== extensionOf(damagedPath);
  const isRepaired = REPAIRED_NAME.test(path);
  return (
    days + (isRepaired ? 8e6 : 0) + (isOtherBrand ? 4e6 : 0) + (isOtherExtension ? 2e6 : 0) + (isElsewhere ? 1e6 : 0)
  );
}
