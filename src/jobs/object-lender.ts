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

/** No object has more. */
export const MAX_PARTS = 10_000;

/** An object that is written in parts, each by a loan of its own. Nothing appears until all of them are there and it is completed. */
export interface MultipartUpload {
  readonly key: string;
  /** The store's own, by which nobody can write who has no loan. */
  readonly uploadId: string;
  /** Of the object, which decides how long its parts are. */
  readonly bytes: number;
}

/** Lends objects part by part. What nobody completes is removed by the store's own rules. All methods throw as `lend`, and STORE_UNAVAILABLE. */
export interface MultipartLender {
  /** Gives the id, and the length of all parts but the last; undefined: the object is short enough for one loan, and nothing was begun. */
  begin(key: string, bytes: number): Promise<{ readonly uploadId: string; readonly partBytes: number } | undefined>;
  /** Lends one part to be written; `number` is from 1. Throws REQUEST_INVALID where there is none of that number. */
  lendPart(upload: MultipartUpload, number: number, forMs: number): Promise<LentObject>;
  /**
   * Makes the object of its parts; `tags` are what the store told of each, in their order. Again, where the object is there, it does nothing. Throws
   * REQUEST_INVALID where there are more or fewer than the object has parts, UPLOAD_REFUSED where one of them is not there as told, UPLOAD_NOT_FOUND.
   */
  complete(upload: MultipartUpload, tags: readonly string[]): Promise<void>;
  /** Removes what was written; nothing where there is no such upload. */
  abort(upload: Pick<MultipartUpload, "key" | "uploadId">): Promise<void>;
}

/** Lends objects to those who have no key. Which keys may be lent is the caller's to decide. */
export interface ObjectLender {
  /** The longest object that can be written by loans, of parts where there are some; undefined: the store sets no bound. */
  readonly maxBytes: number | undefined;
  /** Undefined: one loan is for an object of any length. */
  readonly multipart: MultipartLender | undefined;
  /**
   * Nothing is asked of the store: whether the object is there shows when it is read. `forMs` is from 1000 to 7 days, the longest that a
   * presigned URL may last. Throws OBJECT_KEY_INVALID, BODY_TOO_LARGE for more than the store takes in one request, STORE_REFUSED where
   * it has no credentials.
   */
  lend(loan: Loan): Promise<LentObject>;
}
