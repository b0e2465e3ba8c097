/** What a syntax needs of a bit reader; both the throwing and the sticky reader offer it. */
export interface BitInput {
  /** Unsigned value of the next `count` bits, 0 ≤ count ≤ 32. */
  bits(count: number): number;
  flag(): boolean;
  /** ue(v), ITU-T H.264 §9.1. */
  ue(): number;
  /** se(v), ITU-T H.264 §9.1.1. */
  se(): number;
}
