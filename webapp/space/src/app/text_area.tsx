// A labelled field of several lines, with hint, error and what its length means.

import type { JSX, TargetedInputEvent } from "preact";
import { OWN_WORDS } from "./parts.js";

interface TextAreaProps {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly error: string;
  readonly note: string;
  readonly value: string;
  readonly rows?: number;
  readonly onValue: (value: string) => void;
}

export function TextArea(props: TextAreaProps): JSX.Element {
  const { id, error } = props;
  const described = [`${id}-hint`, `${id}-note`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class={`govuk-form-group${error ? " govuk-form-group--error" : ""}`}>
      <label class="govuk-label" for={id}>
        {props.label}
      </label>
      <div class="govuk-hint" id={`${id}-hint`}>
        {props.hint}
      </div>
      {error && (
        <p class="govuk-error-message" id={`${id}-error`}>
          <span class="govuk-visually-hidden">Error:</span> {error}
        </p>
      )}
      <textarea
        class={`govuk-textarea${error ? " govuk-textarea--error" : ""}`}
        id={id}
        name={id}
        rows={props.rows ?? 12}
        autocomplete="off"
        {...OWN_WORDS}
        aria-describedby={described}
        aria-invalid={error ? true : undefined}
        value={props.value}
        onInput={(event: TargetedInputEvent<HTMLTextAreaElement>) => props.onValue(event.currentTarget.value)}
      />
      <div class="govuk-hint" id={`${id}-note`} role="status">
        {props.note}
      </div>
    </div>
  );
}
