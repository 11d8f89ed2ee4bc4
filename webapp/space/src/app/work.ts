// One asynchronous action of a page: whether it runs, and what went wrong.

import { useState } from "preact/hooks";

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
