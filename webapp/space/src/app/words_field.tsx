// Typing six words: after two letters the words that fit are offered as buttons, and a space takes the only one that is
// left. Backspace right after that gives the letters back, or words of an older list could not be typed.

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { complete, isWord } from "../vault/secrets.js";
import { described, FormGroup, OWN_WORDS } from "./parts.js";

interface WordsFieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly error?: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** The word being typed: hyphens may stand between words and, rarely, in one. */
function lastWord(value: string): string {
  const run = /[a-z-]*$/i.exec(value)?.[0] ?? "";
  return complete(run).length > 0 ? run : run.slice(run.lastIndexOf("-") + 1);
}

/** Words that the one being typed may become; none when it is whole and nothing longer begins with it. */
function fitting(value: string): string[] {
  const typed = lastWord(value);
  const offered = complete(typed);
  return isWord(typed) && offered.length === 1 ? [] : offered;
}

/** One input for all six words, separated by spaces. A recovery code may be typed or pasted here too. */
export function WordsField(props: WordsFieldProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  // What the input held before and after a space completed a word.
  const completed = useRef({ before: "", after: "" });
  const offered = fitting(props.value);

  // From what the input holds now, not from the last drawing: people type faster than pages are drawn.
  const take = (word: string) => {
    const field = input.current;
    if (!field) return;
    field.value = `${field.value.slice(0, field.value.length - lastWord(field.value).length)}${word} `;
    props.onValue(field.value);
    field.focus();
  };

  return (
    <FormGroup id={props.id} label={props.label} hint={props.hint} error={props.error}>
      <input
        class={`govuk-input${props.error ? " govuk-input--error" : ""}`}
        id={props.id}
        ref={input}
        type="text"
        autocomplete="off"
        autocapitalize="none"
        {...OWN_WORDS}
        value={props.value}
        aria-describedby={described(props)}
        onInput={(event) => props.onValue(event.currentTarget.value)}
        onKeyDown={(event) => {
          // Space after a beginning that only one word has, completes it; Tab always moves on, as everywhere.
          const [only, ...others] = fitting(event.currentTarget.value);
          const { before, after } = completed.current;
          if (event.key === " " && only && others.length === 0) {
            event.preventDefault();
            const typed = event.currentTarget.value;
            take(only);
            completed.current = { before: `${typed} `, after: event.currentTarget.value };
          } else if (event.key === "Backspace" && after && event.currentTarget.value === after) {
            event.preventDefault();
            event.currentTarget.value = before;
            props.onValue(before);
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
    </FormGroup>
  );
}
