// Small parts of every page: icons, the visibility label, cards, fields, buttons, problems.
//
// Owns: markup that repeats. Class names are GOV.UK Frontend's and the skin's. No style attribute, no HTML from
// strings.

import type { ComponentChildren, JSX } from "preact";
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

/** Who can see this part of the page, in the charter's own words. */
export function Visibility({ category }: { category: string }): JSX.Element {
  return (
    <p class="ww-visibility">
      <Icon name={LABEL_ICONS[category] ?? "lock"} />
      <span class="govuk-visually-hidden">Who can see this: </span>
      {label(category)}
    </p>
  );
}

/** The page's heading; takes the focus when the page appears, so that a screen reader says where its user is. */
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

/**
 * What few people open. Content given as a function is made when it is opened: a page would wait for thousands of rows.
 */
export function Details(props: {
  readonly title: ComponentChildren;
  readonly children: ComponentChildren | (() => ComponentChildren);
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const { title, children } = props;
  return (
    <details class="govuk-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="govuk-details__summary">
        <span class="govuk-details__summary-text">{title}</span>
      </summary>
      <div class="govuk-details__text">{typeof children === "function" ? open && children() : children}</div>
    </details>
  );
}

export function Link({ to, children }: { to: string; children: ComponentChildren }): JSX.Element {
  return (
    <a class="govuk-link" href={to}>
      {children}
    </a>
  );
}

const BUTTONS = {
  primary: "govuk-button",
  secondary: "govuk-button govuk-button--secondary",
  warning: "govuk-button govuk-button--warning",
  link: "ww-link-button",
} as const;

/**
 * A button that sends no form. `busy` says that its work runs; `last` leaves no space below, as at the end of a card.
 */
export function Button(props: {
  readonly kind?: keyof typeof BUTTONS;
  readonly onClick: () => void;
  readonly busy?: boolean;
  readonly last?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const name = `${BUTTONS[props.kind ?? "primary"]}${props.last ? " govuk-!-margin-bottom-0" : ""}`;
  return (
    <button type="button" class={name} aria-disabled={props.busy} onClick={props.onClick}>
      {props.children}
    </button>
  );
}

/** A box that stands out. `role`: "status" for what appears while the page is read, "alert" for what cannot wait. */
export function Note(props: { readonly role?: "status"; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="ww-note" role={props.role}>
      <p class="govuk-body govuk-!-margin-0">{props.children}</p>
    </div>
  );
}

export function Warning({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <div class="govuk-warning-text">
      <span class="govuk-warning-text__icon" aria-hidden="true">
        !
      </span>
      <strong class="govuk-warning-text__text">
        <span class="govuk-visually-hidden">Warning</span>
        {children}
      </strong>
    </div>
  );
}

interface TableProps {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell names its row; the others are numbers. */
  readonly rows: readonly (readonly ComponentChildren[])[];
  readonly id?: string;
  readonly children?: ComponentChildren;
}

const NUMERIC = { header: "govuk-table__header govuk-table__header--numeric", cell: "govuk-table__cell--numeric" };

/** A table of numbers. `children`: its foot. */
export function NumberTable({ caption, head, rows, id, children }: TableProps): JSX.Element {
  return (
    <table class="govuk-table" id={id}>
      <caption class="govuk-table__caption govuk-visually-hidden">{caption}</caption>
      <thead class="govuk-table__head">
        <tr class="govuk-table__row">
          {head.map((name, column) => (
            <th class={column === 0 ? "govuk-table__header" : NUMERIC.header} scope="col" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody class="govuk-table__body">
        {rows.map(([name, ...numbers], row) => (
          <tr class="govuk-table__row" key={row}>
            <th class="govuk-table__header" scope="row">
              {name}
            </th>
            {numbers.map((number, column) => (
              <td class={`govuk-table__cell ${NUMERIC.cell}`} key={column}>
                {number}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
      {children}
    </table>
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

/** For every text field: a browser that checks spelling or suggests words may send what is typed to its maker. */
export const OWN_WORDS = { spellcheck: false, writingsuggestions: "false" } as const;

interface FormGroupProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly children: ComponentChildren;
}

/** A control with its label, hint and error; the control names hint and error by `described`. */
export function FormGroup({ id, label, hint, error, children }: FormGroupProps): JSX.Element {
  return (
    <div class={`govuk-form-group${error ? " govuk-form-group--error" : ""}`}>
      <label class="govuk-label" for={id}>
        {label}
      </label>
      {hint && (
        <div class="govuk-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {error && (
        <p class="govuk-error-message" id={`${id}-error`}>
          <span class="govuk-visually-hidden">Error:</span> {error}
        </p>
      )}
      {children}
    </div>
  );
}

/** The value of `aria-describedby` for the control in a FormGroup. */
export function described({ id, hint, error }: Omit<FormGroupProps, "label" | "children">): string | undefined {
  return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
}

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
}

/** One labeled input with hint and error. */
export function Field(props: FieldProps): JSX.Element {
  const { id, label, hint, error } = props;
  return (
    <FormGroup id={id} label={label} hint={hint} error={error}>
      <input
        class={`govuk-input ${props.width ?? ""}${error ? " govuk-input--error" : ""}`}
        id={id}
        name={id}
        type={(props.type ?? "text") as "text"}
        value={props.value}
        autocomplete={(props.autocomplete ?? "off") as "off"}
        autocapitalize="none"
        {...OWN_WORDS}
        inputMode={props.inputMode ?? "text"}
        aria-describedby={described(props)}
        aria-invalid={error ? true : undefined}
        onInput={(event) => props.onValue(event.currentTarget.value)}
      />
    </FormGroup>
  );
}

/** A button that looks like a link, for removing one record of the vault; `what` names it to a screen reader. */
export function RemoveButton({ what, onRemove }: { what: string; onRemove: () => void }): JSX.Element {
  return (
    <Button kind="link" onClick={onRemove}>
      Remove<span class="govuk-visually-hidden"> {what}</span>
    </Button>
  );
}

/** A form with one button, which waits while `busy`. */
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
