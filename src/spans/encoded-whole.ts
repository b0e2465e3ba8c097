/** The finding where spans could not be joined: each is encoded as its own first picture is, and one may have none. */
export const ENCODED_WHOLE =
  "The spans did not fit together, as of recordings that change the colours of their pictures: all was encoded once more in one.";
