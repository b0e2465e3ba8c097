/** A name from outside that may become one of a path or of a key: never empty, `.` or `..`, nothing hidden, no separators. */
export const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** What it has to be, as complaints say it. */
export const PLAIN_NAME_FORM =
  "1 to 128 letters, digits, underscores, dots and hyphens, with a letter or digit in front";
