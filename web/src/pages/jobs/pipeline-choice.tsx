import { useId } from "react";
import type { PipelineView } from "../../api/types.ts";
import { titlePipeline } from "./plain-words.ts";

interface PipelineChoiceProps {
  readonly pipelines: readonly PipelineView[];
  readonly chosen: PipelineView;
  readonly onChoose: (name: string) => void;
}

/** Asks what to do where there is a choice, and says what it does. */
export function PipelineChoice({ pipelines, chosen, onChoose }: PipelineChoiceProps) {
  const choiceId = useId();
  if (pipelines.length === 1) return <PipelineHint pipeline={chosen} />;
  return (
    <div className="field">
      <label htmlFor={choiceId}>What to do</label>
      <select
        id={choiceId}
        aria-describedby={`${choiceId}-hint`}
        value={chosen.name}
        onChange={(event) => onChoose(event.target.value)}
      >
        {pipelines.map(({ name }) => (
          <option key={name} value={name}>
            {titlePipeline(name)}
          </option>
        ))}
      </select>
      <PipelineHint id={`${choiceId}-hint`} pipeline={chosen} />
    </div>
  );
}

function PipelineHint({ id, pipeline }: { readonly id?: string; readonly pipeline: PipelineView }) {
  return (
    <p id={id} className="hint">
      {pipeline.description}
      {pipeline.isPaused && " Its queue is paused: the job will wait."}
    </p>
  );
}
