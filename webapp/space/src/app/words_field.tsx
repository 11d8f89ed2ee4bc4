// Typing six words: after two letters the words that fit are offered, and a button or Tab takes the first.

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { complete, isWord } from "../vault/secrets.js";

interface WordsFieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly error?: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** One input for all six words, separated by spaces. A recovery code may be typed or pasted here too. */
export function WordsField(props: WordsFieldProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const typed = /[a-z]*$/i.exec(props.value)?.[0] ?? "";
  const offered = isWord(typed) && complete(typed).length === 1 ? [] : complete(typed);

  const take = (word: string) => {
    props.onValue(`${props.value.slice(0, props.value.length - typed.length)}${word} `);
    input.current?.focus();
  };

  return (
    <div class={`govuk-form-group${props.error ? " govuk-form-group--error" : ""}`}>
      <label class="govuk-label" for={props.id}>
        {props.label}
      </label>
      <div class="govuk-hint" id={`${props.id}-hint`}>
        {props.hint}
      </div>
      {props.error && (
        <p class="govuk-error-message" id={`${props.id}-error`}>
          <span class="govuk-visually-hidden">Error:</span> {props.error}
        </p>
      )}
      <input
        class={`govuk-input${props.error ? " govuk-input--error" : ""}`}
        id={props.id}
        ref={input}
        type="text"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={props.value}
        aria-describedby={`${props.id}-hint${props.error ? ` ${props.id}-error` : ""}`}
        onInput={(event) => props.onValue(event.currentTarget.value)}
        onKeyDown={(event) => {
          // Space after a beginning that only one word has, completes it; Tab always moves on, as everywhere.
          const only = offered.length === 1 ? offered[0] : undefined;
          if (event.key === " " && only) {
            event.preventDefault();
            take(only);
          }
        }}
      />
      <ul class="ww-complete" aria-label="Words that fit">
        {offered.map((word) => (
          <li key={word}>
            <button type="button" onClick={() => take(word)}>
              {word}
            </button>
          </li>
        ))}
      </ul>
      <p class="govuk-visually-hidden" role="status">
        {offered.length > 0 ? `Fits: ${offered.join(", ")}` : ""}
      </p>
    </div>
  );
}
