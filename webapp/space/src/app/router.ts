// Pages by the address behind "#". Owns: which page is shown while the space is open; nothing of it reaches a server.

import { useEffect, useState } from "preact/hooks";

/** The part after "#": "/", "/exposure", … */
export function useRoute(): string {
  const read = () => location.hash.replace(/^#/, "") || "/";
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const changed = () => setRoute(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
