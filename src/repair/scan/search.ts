import type { Edge } from "./edge.ts";
import type { Clocks, InterleaveClock } from "./interleave-clock.ts";
import type { Lattice } from "./lattice.ts";

/** A way through the bytes, first step first. */
export interface Path {
  readonly edges: readonly Edge[];
  readonly scoreBits: number;
  /** Whether it leads on, or to the end of the data, and not into a dead end. */
  readonly isOpenEnded: boolean;
}

interface Node {
  readonly offset: number;
  readonly scoreBits: number;
  readonly depth: number;
  readonly edge: Edge | undefined;
  readonly previous: Node | undefined;
  readonly clocks: Clocks;
}

/** What else steers a search. */
export interface SearchSteering {
  /** First steps that are not to be taken. */
  readonly excluded?: (edge: Edge) => boolean;
  /** How the clocks stand at the start, where that counts. */
  readonly clock?: InterleaveClock | undefined;
}

/** How far a search looks. */
export interface SearchBounds {
  /** Ways that meet this many steps on are followed no further. */
  readonly depth: number;
  /** Ways that meet stand on enough with this many bits, however few steps they took. */
  readonly plainBits: number;
  /** At most this many offsets are expanded. */
  readonly expansions: number;
}

/** A step this much likelier to be any bytes at all is none: damage explains them better. */
const JUNK_BITS = -12;
/** Clocks may turn the order of two ways that lie no farther apart. */
const UNSETTLED_BITS = 16;
/** A way this far behind one that has come less far (whose bytes told more) is given up. */
const HOPELESS_BITS = 30;

/**
 * The likeliest way on from `startOffset`: Viterbi over offsets in rising order (all steps lead forward), keeping the
 * best arrival at each, until all ways that are still alive meet at one offset at least `depth` steps on, or the data
 * end. Where no way stays alive, the best one into the dead end. Deterministic: equal scores keep the first found.
 */
export function searchPath(
  lattice: Lattice,
  startOffset: number,
  lastFamily: number,
  limit: number,
  bounds: SearchBounds,
  { excluded, clock }: SearchSteering = {},
): Path | undefined {
  const arrivals = new Map<string, Node>();
  const clocks = clock?.clocks ?? [];
  const queue: Node[] = [{ offset: startOffset, scoreBits: 0, depth: 0, edge: undefined, previous: undefined, clocks }];
  let stuck: Node | undefined;
  let bestBits = 0;
  for (let expanded = 0; expanded < bounds.expansions && queue.length > 0; expanded++) {
    if (hasMet(queue, limit, bounds)) return toPath(bestOf(queue), true);
    const node = takeNearest(queue);
    if (node.depth >= bounds.depth) {
      const shared = sharedPath([node, ...queue], bestBits);
      if (shared) return shared;
    }
    if (node.offset >= limit) {
      // Other ways to the end come next: all nodes left lie at the limit too.
      queue.push(node);
      return toPath(bestOf(queue), true);
    }
    if (node.scoreBits < bestBits - HOPELESS_BITS) continue;
    bestBits = Math.max(bestBits, node.scoreBits);
    const edges = lattice
      .edges(node.offset, node.edge?.family ?? lastFamily, node.depth === 0, clock?.runBits(node.clocks))
      .filter((edge) => edge.scoreBits > JUNK_BITS && (node.depth > 0 || !excluded?.(edge)));
    if (edges.length === 0 && node.depth > 0 && (stuck === undefined || node.scoreBits > stuck.scoreBits)) stuck = node;
    for (const edge of edges) arrive(arrivals, queue, node, edge, clock);
  }
  if (queue.length > 0) return toPath(bestOf(queue), true);
  return stuck && toPath(stuck, false);
}

function arrive(
  arrivals: Map<string, Node>,
  queue: Node[],
  previous: Node,
  edge: Edge,
  clock: InterleaveClock | undefined,
): void {
  const offset = edge.endOffset;
  const turn = clock?.follow(previous.clocks, edge);
  const scoreBits = previous.scoreBits + edge.scoreBits + (turn?.bits ?? 0);
  const key = `${offset}:${edge.family}`;
  const known = arrivals.get(key);
  if (known !== undefined && known.scoreBits >= scoreBits) return;
  const next: Node = { offset, scoreBits, depth: previous.depth + 1, edge, previous, clocks: turn?.clocks ?? [] };
  arrivals.set(key, next);
  const index = known === undefined ? -1 : queue.indexOf(known);
  if (index >= 0) queue[index] = next;
  else queue.push(next);
}

/** Whether every way still alive has come to one offset, far enough on. */
function hasMet(queue: readonly Node[], limit: number, bounds: SearchBounds): boolean {
  const first = queue[0] as Node;
  const isFar = (node: Node): boolean =>
    node.depth >= bounds.depth || node.scoreBits >= bounds.plainBits || node.offset >= limit;
  if (first.depth === 0 || !queue.every((node) => node.offset === first.offset && isFar(node))) return false;
  return queue.length === 1 || first.offset >= limit || isSettled(queue, bounds);
}

/** What comes next may tell between ways that left the clocks differently. */
function isSettled(queue: readonly Node[], bounds: SearchBounds): boolean {
  const best = bestOf(queue);
  if (best.depth >= bounds.depth) return true;
  return queue.every(
    ({ clocks, scoreBits }) =>
      scoreBits < best.scoreBits - UNSETTLED_BITS || clocks.every((seconds, family) => seconds === best.clocks[family]),
  );
}

/** The steps that all ways worth following have in common; undefined where they part at once. */
function sharedPath(alive: readonly Node[], bestBits: number): Path | undefined {
  const worth = alive.filter((node) => node.scoreBits >= bestBits - HOPELESS_BITS);
  const paths = worth.map(edgesTo);
  const first = paths[0] ?? [];
  let count = 0;
  while (count < first.length && paths.every((path) => path[count] === first[count])) count++;
  if (count === 0) return undefined;
  const edges = first.slice(0, count);
  return { edges, scoreBits: edges.reduce((sum, edge) => sum + edge.scoreBits, 0), isOpenEnded: true };
}

function bestOf(nodes: readonly Node[]): Node {
  return nodes.reduce((best, node) => (node.scoreBits > best.scoreBits ? node : best));
}

function toPath(node: Node, isOpenEnded: boolean): Path | undefined {
  return node.depth === 0 ? undefined : { edges: edgesTo(node), scoreBits: node.scoreBits, isOpenEnded };
}

function takeNearest(queue: Node[]): Node {
  let nearest = 0;
  for (let index = 1; index < queue.length; index++) {
    if ((queue[index] as Node).offset < (queue[nearest] as Node).offset) nearest = index;
  }
  return queue.splice(nearest, 1)[0] as Node;
}

function edgesTo(node: Node): Edge[] {
  const edges: Edge[] = [];
  for (let at: Node | undefined = node; at?.edge; at = at.previous) edges.push(at.edge);
  return edges.reverse();
}
