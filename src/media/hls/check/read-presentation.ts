import { ReelmillError } from "../../../base/errors.ts";
import { parsePlaylist } from "../parse-playlist.ts";
import type { MultivariantPlaylist, Playlist } from "../playlist.ts";
import { readPlaylistText } from "../playlist-lines.ts";
import { resolveReference } from "../resolve-reference.ts";
import { measurePlaylist, type PresentationAccess } from "./measure-playlist.ts";
import type { MeasuredPlaylist, OpenedSource, Presentation, PresentationFault } from "./presentation.ts";

interface Reading extends PresentationAccess {
  readonly signal: AbortSignal;
  readonly faults: PresentationFault[];
  /** By path; undefined where it could not be read. */
  readonly playlists: Map<string, MeasuredPlaylist | undefined>;
}

/**
 * Reads the playlist at `rootPath`, all that it names, and measures every segment. What is wrong with files becomes a fault,
 * never a failure. Throws what `open` throws for the root, and ABORTED.
 */
export async function readPresentation(
  access: PresentationAccess,
  rootPath: string,
  signal: AbortSignal,
): Promise<Presentation> {
  const reading: Reading = { ...access, signal, faults: [], playlists: new Map() };
  const source = await access.open(rootPath, signal);
  const root = readRoot(reading, source, rootPath);
  if (root?.kind === "media") {
    reading.playlists.set(rootPath, await measurePlaylist(root, rootPath, access, reading.faults, signal));
  }
  const multivariant = root?.kind === "multivariant" ? root : undefined;
  const views = multivariant === undefined ? NO_VIEWS : await readViews(reading, multivariant, rootPath);
  return {
    rootPath,
    multivariant,
    ...views,
    playlists: [...reading.playlists.values()].filter((media) => media !== undefined),
    faults: reading.faults,
  };
}

const NO_VIEWS: Pick<Presentation, "variants" | "iFrames" | "renditions"> = {
  variants: [],
  iFrames: [],
  renditions: [],
};

function readRoot({ faults }: Reading, source: OpenedSource, rootPath: string): Playlist | undefined {
  try {
    return parsePlaylist(readPlaylistText(source));
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code !== "MEDIA_MALFORMED") throw error;
    faults.push({ kind: "playlist-syntax", where: rootPath, message: error.message });
    return undefined;
  } finally {
    source.close();
  }
}

async function readViews(reading: Reading, multivariant: MultivariantPlaylist, rootPath: string) {
  const variants: { variant: MultivariantPlaylist["variants"][number]; media: MeasuredPlaylist | undefined }[] = [];
  for (const variant of multivariant.variants) {
    variants.push({ variant, media: await readMedia(reading, variant.uri, rootPath) });
  }
  const renditions: { rendition: MultivariantPlaylist["renditions"][number]; media: MeasuredPlaylist | undefined }[] =
    [];
  for (const rendition of multivariant.renditions) {
    const media = rendition.uri === undefined ? undefined : await readMedia(reading, rendition.uri, rootPath);
    renditions.push({ rendition, media });
  }
  const iFrames: { variant: MultivariantPlaylist["iFrameVariants"][number]; media: MeasuredPlaylist | undefined }[] =
    [];
  for (const variant of multivariant.iFrameVariants) {
    iFrames.push({ variant, media: await readMedia(reading, variant.uri, rootPath) });
  }
  return { variants, renditions, iFrames };
}

/** The media playlist that a reference leads to, read once whatever names it. */
async function readMedia(reading: Reading, uri: string, rootPath: string): Promise<MeasuredPlaylist | undefined> {
  const { faults, signal, playlists } = reading;
  const target = resolveReference(rootPath, uri);
  if ("problem" in target) {
    faults.push({ kind: "references-relative", where: rootPath, message: target.problem });
    return undefined;
  }
  const { path } = target;
  if (playlists.has(path)) return playlists.get(path);
  const playlist = await openPlaylist(reading, path);
  const measured = playlist && (await measurePlaylist(playlist, path, reading, faults, signal));
  playlists.set(path, measured);
  return measured;
}

async function openPlaylist({ open, signal, faults }: Reading, path: string) {
  let source: OpenedSource;
  try {
    source = await open(path, signal);
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
    faults.push({ kind: "files-exist", where: path, message: error.message });
    return undefined;
  }
  try {
    const playlist = parsePlaylist(readPlaylistText(source));
    if (playlist.kind === "media") return playlist;
    faults.push({
      kind: "playlist-syntax",
      where: path,
      message: "A media playlist is needed here, not a multivariant one.",
    });
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code !== "MEDIA_MALFORMED") throw error;
    faults.push({ kind: "playlist-syntax", where: path, message: error.message });
  } finally {
    source.close();
  }
  return undefined;
}
