// A labeled field of several lines, with hint, error and what its length means.

import type { JSX } from "preact";
import { described, FormGroup, OWN_WORDS } from "./parts.js";

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
  const { id, label, hint, error } = props;
  return (
    <FormGroup id={id} label={label} hint={hint} error={error}>
      <textarea
        class={`govuk-textarea${error ? " govuk-textarea--error" : ""}`}
        id={id}
        name={id}
        rows={props.rows ?? 12}
        autocomplete="off"
        {...OWN_WORDS}
        aria-describedby={`${described(props)} ${id}-note`}
        aria-invalid={error ? true : undefined}
        value={props.value}
        onInput={(event) => props.onValue(event.currentTarget.value)}
      />
      <div class="govuk-hint" id={`${id}-note`} role="status">
        {props.note}
      </div>
    </FormGroup>
  );
}
