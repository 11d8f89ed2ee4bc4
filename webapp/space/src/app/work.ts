// State that pages share: one asynchronous action with its outcome, and drawing again after the vault changed.

import { useReducer, useState } from "preact/hooks";

export interface Work {
  readonly busy: boolean;
  readonly problem: unknown;
  /** Run `action`; nothing happens while another one runs. */
  run(action: () => Promise<void>): void;
}

export function useWork(): Work {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  return {
    busy,
    problem,
    run(action) {
      if (busy) return;
      setBusy(true);
      setProblem(null);
      action()
        .catch(setProblem)
        .finally(() => setBusy(false));
    },
  };
}

/** A function that draws the component again, after something outside of its state changed. */
export function useRedraw(): () => void {
  const [, redraw] = useReducer((drawn: number) => drawn + 1, 0);
  return () => redraw(undefined);
}
