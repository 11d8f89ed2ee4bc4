// Locks a space that nobody uses: the charter's idle time, with a warning before it that one action answers.
//
// Owns: the clock of the last use on this page, and the warning. Desk has its own clock and the last word.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface IdleProps {
  readonly idleSeconds: number;
  readonly warningSeconds: number;
  /** Tell desk that the session is in use; throws when desk ended it. */
  readonly extend: () => Promise<unknown>;
  readonly lock: () => void;
}

const EXTEND_EVERY_MS = 60_000;

export function IdleLock({ idleSeconds, warningSeconds, extend, lock }: IdleProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [remaining, setRemaining] = useState("");
  const used = useRef(performance.now());
  const told = useRef(performance.now());
  const acts = useRef({ extend, lock });
  acts.current = { extend, lock };

  const stay = () => {
    used.current = told.current = performance.now();
    dialog.current?.close();
    acts.current.extend().catch(() => acts.current.lock());
  };

  useEffect(() => {
    const use = () => {
      // Once the warning is up, only its own button counts: a nudge of the mouse is not an answer.
      if (!dialog.current?.open) used.current = performance.now();
    };
    const events = ["pointerdown", "keydown", "wheel", "touchstart"] as const;
    for (const event of events) addEventListener(event, use, { passive: true });
    const timer = setInterval(() => {
      const now = performance.now();
      const left = used.current + idleSeconds * 1000 - now;
      if (left <= 0) return acts.current.lock();
      if (left <= (warningSeconds + 5) * 1000) {
        setRemaining(left > 60_000 ? "about a minute" : `${Math.ceil(left / 10_000) * 10} seconds`);
        if (!dialog.current?.open) dialog.current?.showModal();
      } else if (used.current > told.current && now - told.current > EXTEND_EVERY_MS) {
        told.current = now;
        acts.current.extend().catch(() => acts.current.lock());
      }
    }, 1000);
    return () => {
      clearInterval(timer);
      for (const event of events) removeEventListener(event, use);
    };
  }, [idleSeconds, warningSeconds]);

  return (
    <dialog
      class="ww-timeout"
      ref={dialog}
      aria-labelledby="timeout-title"
      aria-describedby="timeout-words"
      onCancel={(event) => {
        event.preventDefault();
        stay();
      }}
    >
      <h2 class="govuk-heading-m" id="timeout-title">
        Your space will lock soon
      </h2>
      <p class="govuk-body" id="timeout-words">
        It locks in <strong>{remaining}</strong>, because nobody has used this page for a while. What you wrote is saved.
      </p>
      <div class="ww-actions">
        <button type="button" class="govuk-button" onClick={stay}>
          Stay unlocked
        </button>
        <button type="button" class="govuk-button govuk-button--secondary" onClick={lock}>
          Lock now
        </button>
      </div>
    </dialog>
  );
}
