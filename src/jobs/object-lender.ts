/** One object, lent one way for a while. */
export type Loan = LoanToRead | LoanToWrite;

/** To be read, whole or in ranges. */
export interface LoanToRead {
  readonly method: "GET";
  readonly key: string;
  readonly forMs: number;
  /** What the answer is to say, where the store itself gives it; undefined: whatever the store knows. */
  readonly shownAs?: ShownAs | undefined;
}

/** What an object is told to be. */
export interface ShownAs {
  /** Content-Type. */
  readonly mediaType: string;
  /** Content-Disposition. */
  readonly disposition: string;
}

/** To be written in one request, which replaces what has the key. */
export interface LoanToWrite {
  readonly method: "PUT";
  readonly key: string;
  /** The body's length, ≥ 0: no other is taken. */
  readonly bytes: number;
  readonly forMs: number;
}

/** How whoever has it makes the one request, without any key of the API. */
export interface LentObject {
  /** A secret while it lasts. Absolute, or a path at the server that gives it out. */
  readonly url: string;
  /** To be sent along, besides Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Lends objects to those who have no key. Which keys may be lent is the caller's to decide. */
export interface ObjectLender {
  /** The most that can be written by one loan; undefined: the store sets no bound. */
  readonly maxBytes: number | undefined;
  /**
   * Nothing is asked of the store: whether the object is there shows when it is read. `forMs` is from 1000 to 7 days, the longest that a
   * presigned URL may last. Throws OBJECT_KEY_INVALID, BODY_TOO_LARGE for more than the store takes in one request, STORE_REFUSED where
   * it has no credentials.
   */
  lend(loan: Loan): Promise<LentObject>;
}
