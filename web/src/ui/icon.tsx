/** Outlines on a grid of 16 by 16. */
const PATHS = {
  queued: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3l2 1.5",
  running: "M8 2.5A5.5 5.5 0 1 1 2.5 8M8 8 5.5 5.5",
  succeeded: "M3 8.5 6.5 12 13 4.5",
  partial: "M8 2.5 14 13H2L8 2.5ZM8 6.5v3M8 11.3v.2",
  failed: "M4 4l8 8M12 4l-8 8",
  cancelled: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM4.2 4.2l7.6 7.6",
  upload: "M8 11V3M4.5 6.5 8 3l3.5 3.5M2.5 13.5h11",
  download: "M8 3v8M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11",
  play: "M5 3.5v9l7.5-4.5L5 3.5Z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  retry: "M13 8A5 5 0 1 1 11.5 4.4M12 2v3H9",
  trash: "M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.5 9h6l.5-9",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z",
  screen: "M2.5 3.5h11v7h-11v-7ZM6 13.5h4M8 10.5v3",
  info: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 7.5v3.3M8 5.2v.2",
  stop: "M4 4h8v8H4z",
  sound: "M3 6.2v3.6h2.4l3.1 2.7v-9L5.4 6.2H3ZM11 6a3 3 0 0 1 0 4M12.8 4.2a5.5 5.5 0 0 1 0 7.6",
  muted: "M3 6.2v3.6h2.4l3.1 2.7v-9L5.4 6.2H3ZM11 6.3l3 3.4M14 6.3l-3 3.4",
  fullscreen: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
} as const;

/** Name of a picture. */
export type IconName = keyof typeof PATHS;

/** A picture beside words that say the same. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
