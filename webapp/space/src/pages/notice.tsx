// What is true of every agency workstation, said before anything is typed.

import type { JSX } from "preact";
import { Link } from "../app/parts.js";

/** The plain warning at first visit and at every unlock. */
export function WorkstationNotice(): JSX.Element {
  return (
    <div class="govuk-inset-text">
      <p class="govuk-body">
        <strong>This computer and this network belong to the agency.</strong> Software on it may record typing or
        screens, and the directory records that you signed in. Wardwell cannot prevent that.
      </p>
      <p class="govuk-body">
        If it must never be seen, call from your own phone: <Link to="/crisis/">numbers to call</Link>,{" "}
        <Link to="/directory/">peers and clinicians</Link>.
      </p>
    </div>
  );
}
