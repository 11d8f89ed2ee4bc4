// What is true of every agency workstation, said before anything is typed.

import type { JSX } from "preact";

/** The plain warning at first visit and at every unlock. */
export function WorkstationNotice(): JSX.Element {
  return (
    <div class="govuk-inset-text">
      <p class="govuk-body">
        <strong>This computer and this network belong to the agency.</strong> Software on it may record typing or
        screens, and the directory records that you signed in. Wardwell cannot prevent that.
      </p>
      <p class="govuk-body">
        If it must never be seen, call from your own phone:{" "}
        <a class="govuk-link" href="/crisis/">
          numbers to call
        </a>
        ,{" "}
        <a class="govuk-link" href="/directory/">
          peers and clinicians
        </a>
        .
      </p>
    </div>
  );
}
