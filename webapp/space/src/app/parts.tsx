// Small parts of every page: icons, the visibility label, cards, fields, buttons, problems.
//
// Owns: markup that repeats. Class names are GOV.UK Frontend's and the skin's. No style attribute, no HTML from strings.

import type { ComponentChildren, JSX, TargetedInputEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { label } from "../constants.js";
import { Problem } from "../net.js";

declare const ICONS: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;

export function Icon({ name }: { name: string }): JSX.Element {
  const paths = ICONS[name] ?? [];
  return (
    <svg class="ww-icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {paths.map((attributes) => (
        <path key={attributes.d} {...attributes} />
      ))}
    </svg>
  );
}

const LABEL_ICONS: Readonly<Record<string, string>> = { release: "bars", crisis: "globe", directory: "globe" };

/** Who can see what stands here, in the charter's own words. */
export function Visibility({ category }: { category: string }): JSX.Element {
  return (
    <p class="ww-visibility">
      <Icon name={LABEL_ICONS[category] ?? "lock"} />
      <span class="govuk-visually-hidden">Who can see this: </span>
      {label(category)}
    </p>
  );
}

/** The page's heading; takes the focus when the page appears, so that a reader hears where they are. */
export function Title({ children, focus = true }: { children: string | string[]; focus?: boolean }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const words = [children].flat().join("");
  useEffect(() => {
    if (focus) heading.current?.focus();
    document.title = `${words} – Wardwell`;
  }, [focus, words]);
  return (
    <h1 class="govuk-heading-l" tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}

/** What few people open, such as a list of thousands: made when it is opened, or the page would wait for it. */
export function Folded({ title, children }: { title: string; children: () => ComponentChildren }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details class="govuk-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="govuk-details__summary">
        <span class="govuk-details__summary-text">{title}</span>
      </summary>
      <div class="govuk-details__text">{open && children()}</div>
    </details>
  );
}

export function Card(props: { title: string; category: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">{props.title}</h2>
      <Visibility category={props.category} />
      {props.children}
    </section>
  );
}

/** What went wrong and what to do, announced at once. */
export function ProblemNote({ problem }: { problem: unknown }): JSX.Element | null {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (problem) box.current?.focus();
  }, [problem]);
  if (!problem) return null;
  const known = problem instanceof Problem;
  return (
    <div class="govuk-error-summary" role="alert" tabIndex={-1} ref={box}>
      <h2 class="govuk-error-summary__title">{known ? problem.message : "Something went wrong in this browser."}</h2>
      <div class="govuk-error-summary__body">
        <p>{known ? problem.fix : "Reload the page. Nothing that was saved is lost."}</p>
      </div>
    </div>
  );
}

/** Of every field for words: a browser that checks spelling or suggests words may send what is typed to its maker. */
export const OWN_WORDS = { spellcheck: false, writingsuggestions: "false" } as const;

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly error?: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly type?: "text" | "password";
  readonly autocomplete?: string;
  readonly inputMode?: "text" | "numeric";
  readonly width?: string;
  readonly children?: ComponentChildren;
}

/** One labelled input with hint and error. */
export function Field(props: FieldProps): JSX.Element {
  const described = [props.hint && `${props.id}-hint`, props.error && `${props.id}-error`].filter(Boolean).join(" ");
  const common = {
    class: `govuk-input ${props.width ?? ""}${props.error ? " govuk-input--error" : ""}`,
    id: props.id,
    name: props.id,
    value: props.value,
    autocomplete: (props.autocomplete ?? "off") as "off",
    autocapitalize: "none" as const,
    ...OWN_WORDS,
    inputMode: props.inputMode ?? ("text" as const),
    "aria-describedby": described || undefined,
    "aria-invalid": props.error ? (true as const) : undefined,
    onInput: (event: TargetedInputEvent<HTMLInputElement>) => props.onValue(event.currentTarget.value),
  };
  return (
    <div class={`govuk-form-group${props.error ? " govuk-form-group--error" : ""}`}>
      <label class="govuk-label" for={props.id}>
        {props.label}
      </label>
      {props.hint && (
        <div class="govuk-hint" id={`${props.id}-hint`}>
          {props.hint}
        </div>
      )}
      {props.error && (
        <p class="govuk-error-message" id={`${props.id}-error`}>
          <span class="govuk-visually-hidden">Error:</span> {props.error}
        </p>
      )}
      {props.type === "password" ? <input {...common} type="password" /> : <input {...common} type="text" />}
      {props.children}
    </div>
  );
}

/** A button that looks like a link, for removing one record of the vault; `what` names it to a screen reader. */
export function RemoveButton({ what, onRemove }: { what: string; onRemove: () => void }): JSX.Element {
  return (
    <button type="button" class="ww-link-button" onClick={onRemove}>
      Remove<span class="govuk-visually-hidden"> {what}</span>
    </button>
  );
}

/** A form whose button waits while `work` runs; what `work` throws is given to `onProblem`. */
export function WorkForm(props: {
  readonly action: string;
  readonly busyText: string;
  readonly busy: boolean;
  readonly onSubmit: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!props.busy) props.onSubmit();
      }}>
      {props.children}
      <button type="submit" class="govuk-button" aria-disabled={props.busy}>
        {props.busy ? props.busyText : props.action}
      </button>
      <p class="govuk-visually-hidden" role="status">
        {props.busy ? props.busyText : ""}
      </p>
    </form>
  );
}
