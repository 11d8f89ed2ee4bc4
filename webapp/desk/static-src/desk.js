// The one script of desk's pages. Everything works without it; it adds a warning before the session locks, news of
// the queue, shortcuts inside the queue, and GOV.UK's small helpers. It never writes HTML (Trusted Types), keeps
// nothing but the on/off of shortcuts, and talks only to desk.

import { Button, createAll, ErrorSummary, ExitThisPage, PasswordInput, SkipLink } from "govuk-frontend";

const body = document.body;
// Without these classes the components stay silent, and no checker notices.
body.classList.add("js-enabled", "govuk-frontend-supported");
for (const component of [Button, ErrorSummary, ExitThisPage, PasswordInput, SkipLink]) {
  createAll(component);
}

warnBeforeLock();
for (const list of document.querySelectorAll("[data-poll]")) watchQueue(list);
for (const queue of document.querySelectorAll("[data-shortcuts]")) shortcuts(queue);
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

/** Warn `data-warning-seconds` before the session locks; one action extends it, and nothing typed is lost. */
function warnBeforeLock() {
  const dialog = document.querySelector("[data-timeout]");
  if (!dialog || typeof dialog.showModal !== "function") return;
  const idle = Number(dialog.dataset.idleSeconds) * 1000;
  const warning = Number(dialog.dataset.warningSeconds) * 1000;
  const remaining = dialog.querySelector("[data-remaining]");
  const problem = dialog.querySelector("[data-problem]");
  // Other tabs share the session: an extension in one counts in all.
  const tabs = new BroadcastChannel("wardwell-session");
  let lockAt = Date.now() + idle;
  tabs.postMessage(lockAt);
  tabs.addEventListener("message", (event) => extended(event.data));

  function extended(at) {
    lockAt = Math.max(lockAt, Number(at) || 0);
    if (dialog.open && lockAt - Date.now() > warning) dialog.close();
  }

  async function extend() {
    try {
      const answer = await fetch(dialog.dataset.extend, {
        method: "POST",
        headers: { "X-CSRF-Token": dialog.dataset.token },
        credentials: "same-origin",
      });
      if (!answer.ok) throw new Error(String(answer.status));
      problem.hidden = true;
      lockAt = Date.now() + idle;
      tabs.postMessage(lockAt);
      dialog.close();
    } catch {
      problem.hidden = false;
    }
  }

  dialog.querySelector("[data-stay]").addEventListener("click", extend);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    extend();
  });
  setInterval(() => {
    const left = lockAt - Date.now();
    if (left <= 0) {
      location.replace(dialog.dataset.locked);
    } else if (left <= warning + 5000) {
      // Five seconds early, so that the full warning is always there to be read.
      const words = left > 60000 ? "about a minute" : `${Math.ceil(left / 10000) * 10} seconds`;
      if (remaining.textContent !== words) remaining.textContent = words;
      if (!dialog.open) dialog.showModal();
    }
  }, 1000);
}

/** Ask with If-None-Match whether the queue changed; say so, and leave the rows where they are. */
function watchQueue(list) {
  const note = document.getElementById(list.dataset.note);
  const words = note.querySelector("[data-words]");
  let tag = list.dataset.tag;

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch(list.dataset.poll, {
          headers: { "If-None-Match": tag },
          credentials: "same-origin",
          cache: "no-store",
        });
        if (answer.status === 200) {
          tag = answer.headers.get("ETag") || tag;
          const { references } = await answer.json();
          const shown = new Set([...list.querySelectorAll("[data-reference]")].map((row) => row.dataset.reference));
          const fresh = references.filter((reference) => !shown.has(reference)).length;
          words.textContent = fresh
            ? `${fresh} new critical ${fresh === 1 ? "incident" : "incidents"}.`
            : "The queue has changed.";
          note.hidden = false;
        }
      } catch {
        // The next look tries again; the page stays as it is.
      }
    }
    setTimeout(look, Number(list.dataset.every) * 1000);
  }
  setTimeout(look, Number(list.dataset.every) * 1000);
}

/** j k a / ? while the queue has focus (WCAG 2.1.4), until turned off. */
function shortcuts(queue) {
  const help = queue.querySelector("[data-shortcut-help]");
  const toggle = queue.querySelector("[data-shortcut-toggle]");
  let on = true;
  try {
    on = localStorage.getItem("shortcuts") !== "off";
  } catch {
    // Storage may be switched off; shortcuts then start as on.
  }
  help.hidden = false;
  toggle.setAttribute("aria-pressed", String(on));
  toggle.addEventListener("click", () => {
    on = !on;
    toggle.setAttribute("aria-pressed", String(on));
    try {
      localStorage.setItem("shortcuts", on ? "on" : "off");
    } catch {
      // Stays as chosen until the page goes.
    }
  });
  const rows = [...queue.querySelectorAll("tbody tr")];
  for (const row of rows) row.tabIndex = -1;
  if (rows[0]) rows[0].tabIndex = 0;

  function focus(index) {
    const next = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!next) return;
    for (const row of rows) row.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  queue.addEventListener("keydown", (event) => {
    if (!on || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) return;
    const index = rows.indexOf(event.target.closest("tr"));
    const actions = {
      j: () => focus(index + 1),
      ArrowDown: () => focus(index + 1),
      k: () => focus(index - 1),
      ArrowUp: () => focus(index - 1),
      a: () => index >= 0 && rows[index].querySelector("[data-act]")?.click(),
      "/": () => queue.querySelector("[data-find]")?.focus(),
      "?": () => help.querySelector("details")?.toggleAttribute("open"),
    };
    if (event.key === "Enter" && event.target === rows[index]) {
      rows[index].querySelector("a")?.click();
    } else if (actions[event.key]) {
      event.preventDefault();
      actions[event.key]();
    }
  });
}
