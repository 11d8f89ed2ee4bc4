// Locks a space that nobody uses: the charter's idle time, with a warning before it that one action answers.
//
// Owns: the clock of the last use on this page, and the warning. Desk has its own clock and the last word.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../net.js";
import { Button } from "./parts.js";

interface IdleProps {
  readonly idleSeconds: number;
  readonly warningSeconds: number;
  /** Tell desk that the session is in use; throws when desk ended it. */
  readonly extend: () => Promise<unknown>;
  readonly lock: () => void;
  /** Whether all that was done is saved by now. */
  readonly saved: boolean;
}

const EXTEND_EVERY_MS = 60_000;

export function IdleLock({ idleSeconds, warningSeconds, extend, lock, saved }: IdleProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [remaining, setRemaining] = useState("");
  const used = useRef(performance.now());
  const told = useRef(performance.now());
  const acts = useRef({ extend, lock });
  acts.current = { extend, lock };

  const tell = () => {
    acts.current.extend().catch((error: unknown) => {
      // Desk ended the session. A desk that does not answer for a while is no reason to lose what is on the page.
      if (error instanceof Problem && error.status === 401) acts.current.lock();
    });
  };

  const stay = () => {
    used.current = told.current = performance.now();
    dialog.current?.close();
    tell();
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
      } else if (now - told.current >= EXTEND_EVERY_MS) {
        // Whether or not something was done in that minute: which minutes somebody typed in is nobody's business.
        told.current = now;
        tell();
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
      }}>
      <h2 class="govuk-heading-m" id="timeout-title">
        Your space will lock soon
      </h2>
      <p class="govuk-body" id="timeout-words">
        It locks in <strong>{remaining}</strong>, because nobody has used this page for a while.{" "}
        {saved ? "What you kept is saved." : "What you did last is not saved yet."}
      </p>
      <div class="ww-actions">
        <Button onClick={stay}> Stay unlocked</Button>
        <Button kind="secondary" onClick={lock}>
          {" "}
          Lock now
        </Button>
      </div>
    </dialog>
  );
}
