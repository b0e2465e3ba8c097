import { useState } from "react";
import { baseName, downloadUrl, objectUrl } from "../../api/object-urls.ts";
import type { Json } from "../../api/types.ts";
import { Icon } from "../../ui/icon.tsx";
import { Name } from "../../ui/name.tsx";

const VIDEO = /\.(mp4|m4v|mov|webm|mkv)$/i;
const AUDIO = /\.(mp3|m4a|aac|wav|flac|ogg|opus)$/i;

/** One stored output: played where the browser can, and downloaded. */
export function Output({ objectKey }: { readonly objectKey: string }) {
  const [isRefused, setIsRefused] = useState(false);
  const name = baseName(objectKey);
  const shared = { className: "player", controls: true, preload: "metadata", src: objectUrl(objectKey) } as const;
  const onError = (): void => setIsRefused(true);
  return (
    <div className="output">
      {!isRefused && VIDEO.test(name) && (
        <video {...shared} aria-label={`Video ${name}`} playsInline onError={onError} />
      )}
      {!isRefused && AUDIO.test(name) && <audio {...shared} aria-label={`Output ${name}`} onError={onError} />}
      {isRefused && (
        <p className="note">
          <Icon name="info" />
          <span>This browser cannot play the format of the file. Download it to play it elsewhere.</span>
        </p>
      )}
      <div className="output-line">
        <Name text={name} />
        <a className="button button-plain" href={downloadUrl(objectKey)} download={name}>
          <Icon name="download" />
          Download
        </a>
      </div>
    </div>
  );
}

/** Keys of objects in a result, by the names that pipelines give them: `output` and `outputs`. */
export function collectOutputs(result: Json): readonly string[] {
  if (typeof result !== "object" || result === null) return [];
  if (Array.isArray(result)) return result.flatMap(collectOutputs);
  const keys = Object.entries(result).flatMap(([name, value]) => {
    if (name === "output" && typeof value === "string") return [value];
    if (name === "outputs" && Array.isArray(value)) {
      return value.flatMap((one) => (typeof one === "string" ? [one] : collectOutputs(one)));
    }
    return collectOutputs(value);
  });
  return [...new Set(keys)];
}
