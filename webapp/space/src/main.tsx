// Entry of the private space: the crisis pages' worker, then the app.

import { render } from "preact";
import { App } from "./app/app.js";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

const WORKER = "/worker.js";

// The only policy there is, and the only address it lets through: no string becomes markup or script in this space.
function workerAddress(): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  const rules = {
    createScriptURL(url: string): string {
      if (url !== WORKER) throw new TypeError("not the crisis pages' worker");
      return url;
    },
  };
  return types ? types.createPolicy("wardwell", rules).createScriptURL(WORKER) : WORKER;
}

if ("serviceWorker" in navigator) {
  // Without the agency's CA in the system's store the browser refuses; the pages work all the same.
  navigator.serviceWorker.register(workerAddress(), { scope: "/crisis/" }).catch(() => undefined);
}

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
