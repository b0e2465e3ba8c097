import type { AudioSpecificConfig } from "./audio-specific-config.ts";
import { evidenceUnits, REJECTED } from "./evidence.ts";
import { type ChannelElement, ELEMENT } from "./program-config.ts";

/** Which channel elements the frames of a configuration hold. */
export interface ElementLayout {
  /** Elements in the order the standard names, which is the order encoders write. */
  readonly elements: readonly ChannelElement[];
  /** `ordered`: exactly these in this order. `named`: each once, by its tag. `free`: anything, the frames tell. */
  readonly rule: "ordered" | "named" | "free";
  readonly allowsCoupling: boolean;
  /** Full-bandwidth and LFE channels together, 1 to 64: what bounds a frame's size. */
  readonly channels: number;
}

const { SCE, CPE, LFE } = ELEMENT;

/** Channel elements by channelConfiguration (ISO/IEC 14496-3 Table 1.19, ISO/IEC 23001-8 for those above 7). */
const ELEMENTS_BY_CONFIGURATION: Readonly<Record<number, readonly (0 | 1 | 3)[]>> = {
  1: [SCE],
  2: [CPE],
  3: [SCE, CPE],
  4: [SCE, CPE, SCE],
  5: [SCE, CPE, CPE],
  6: [SCE, CPE, CPE, LFE],
  7: [SCE, CPE, CPE, CPE, LFE],
  11: [SCE, CPE, CPE, SCE, LFE],
  12: [SCE, CPE, CPE, CPE, LFE],
  14: [SCE, CPE, CPE, LFE, CPE],
};
const FREE_CHANNELS = 8;

const FIRST_OF_KIND_UNITS = evidenceUnits(0.9 * 0.8, 7);
const ODD_TAG_UNITS = evidenceUnits((0.9 * 0.2) / 15, 7);
const NEXT_NAMED_UNITS = evidenceUnits(0.72, 7);
const OTHER_NAMED_UNITS = evidenceUnits(0.01, 7);
const FREE_UNITS = evidenceUnits(0.9 / 48, 7);

/** The layout that a configuration asks for; undefined where its channel configuration is reserved or unknown. */
export function elementLayout(config: AudioSpecificConfig): ElementLayout | undefined {
  if (config.program !== undefined && config.program.elements.length > 0) {
    const { elements, couplingTags } = config.program;
    return { elements, rule: "named", allowsCoupling: couplingTags.length > 0, channels: countChannels(elements) };
  }
  if (config.channelConfiguration === 0) {
    return { elements: [], rule: "free", allowsCoupling: true, channels: FREE_CHANNELS };
  }
  const ids = ELEMENTS_BY_CONFIGURATION[config.channelConfiguration];
  if (ids === undefined) return undefined;
  const elements = ids.map((id) => ({ id }));
  return { elements, rule: "ordered", allowsCoupling: false, channels: countChannels(elements) };
}

/**
 * Follows the channel elements of one frame against a layout. Held by the parser and restarted for each frame; keeps
 * no more than bit sets, so that following allocates nothing.
 */
export class ElementFollower {
  readonly #layout: ElementLayout;
  /** By element id: bit per instance tag that the frame has shown. */
  readonly #seenTags = new Uint16Array(4);
  #next = 0;

  constructor(layout: ElementLayout) {
    this.#layout = layout;
  }

  restart(): void {
    this.#seenTags.fill(0);
    this.#next = 0;
  }

  /** Whether the frame may end here: it has shown every element it must. */
  get isComplete(): boolean {
    return this.#layout.rule === "free" ? this.#next > 0 : this.#next === this.#layout.elements.length;
  }

  /** Takes note of an SCE, CPE or LFE and returns the evidence of its id and tag, REJECTED where it does not belong. */
  accept(id: number, tag: number): number {
    const tags = this.#seenTags[id] as number;
    if ((tags & (1 << tag)) !== 0) return REJECTED;
    this.#seenTags[id] = tags | (1 << tag);
    const { rule, elements } = this.#layout;
    if (rule === "named") return this.#acceptNamed(id, tag);
    const expected = elements[this.#next];
    if (rule === "ordered" && expected?.id !== id) return REJECTED;
    this.#next++;
    if (rule === "free") return this.#next > FREE_CHANNELS ? REJECTED : FREE_UNITS;
    // Encoders number the elements of a kind from 0 on.
    return tags === 2 ** tag - 1 ? FIRST_OF_KIND_UNITS : ODD_TAG_UNITS;
  }

  #acceptNamed(id: number, tag: number): number {
    const { elements } = this.#layout;
    for (let entry = 0; entry < elements.length; entry++) {
      const element = elements[entry];
      if (element?.id !== id || element.tag !== tag) continue;
      return entry === this.#next++ ? NEXT_NAMED_UNITS : OTHER_NAMED_UNITS;
    }
    return REJECTED;
  }
}

function countChannels(elements: readonly ChannelElement[]): number {
  return Math.min(
    64,
    Math.max(
      1,
      elements.reduce((sum, { id }) => sum + (id === CPE ? 2 : 1), 0),
    ),
  );
}
