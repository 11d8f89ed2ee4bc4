// The product's hooks: the sealed post takes its turn at unlock and at lock, for the browser and for Node alike.

import { onLock, onUnlock } from "./post/session.js";
import type { Hooks } from "./session.js";

export const hooks: Hooks = { onUnlock, onLock };
