// The product's hooks: the sealed post takes its turn at unlock and at lock, for the browser and for Node alike.

import { reachOut } from "./choices.js";
import { onLock, onUnlock } from "./post/session.js";
import type { Hooks } from "./session.js";

export const hooks: Hooks = {
  async onUnlock(ctx) {
    await onUnlock(ctx);
    // After the last request of post's part: what is queued here leaves at lock, in the cell that leaves then anyway.
    await reachOut(ctx);
  },
  onLock,
};
