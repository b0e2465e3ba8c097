import { type ReactNode, useEffect, useEffectEvent, useState } from "react";
import { Icon } from "../ui/icon.tsx";
import { FileChooser } from "./file-chooser.tsx";

interface DropZoneProps {
  readonly onFiles: (files: readonly File[]) => void;
  readonly children?: ReactNode;
}

/** Takes files that are dropped anywhere on the page, or picked. */
export function DropZone({ onFiles, children }: DropZoneProps) {
  const [isOver, setIsOver] = useState(false);
  const take = useEffectEvent(onFiles);
  useEffect(() => watchDrops(take, setIsOver), []);
  return (
    <div className={isOver ? "drop-zone drop-zone-over" : "drop-zone"}>
      <Icon name="upload" />
      <div>
        <p className="drop-zone-title">{isOver ? "Let go to upload" : "Drop recordings anywhere on this page"}</p>
        <p className="muted">or choose them from this device. Uploads can be paused, and go on where they stopped.</p>
        {children}
      </div>
      <FileChooser label="Choose files" isMultiple onFiles={onFiles} />
    </div>
  );
}

function watchDrops(take: (files: readonly File[]) => void, setIsOver: (isOver: boolean) => void): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const onOver = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    // Without this, the browser would open the file instead of the page.
    event.preventDefault();
    setIsOver(true);
  };
  const onLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) setIsOver(false);
  };
  const onDrop = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setIsOver(false);
    take([...(event.dataTransfer?.files ?? [])]);
  };
  window.addEventListener("dragover", onOver, { signal });
  window.addEventListener("dragleave", onLeave, { signal });
  window.addEventListener("drop", onDrop, { signal });
  return () => controller.abort();
}
