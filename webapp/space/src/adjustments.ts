// "I was not there": calls that stay visible but are left out of the officer's own sums, until undone.
//
// Owns: the vault's records "not-there" (the contribution's id, nothing else). They exist in the vault alone: the
// agency's record stays as it is, and nobody learns that a call was set aside.

import type { Records } from "./context.js";
import { contributions } from "./deliveries.js";
import { type Contribution, without } from "./exposure.js";

export interface NotThere {
  readonly contribution: string;
}

/** Ids of the contributions that the officer set aside. */
export function notThere(records: Records): ReadonlySet<string> {
  return new Set(records.all<NotThere>("not-there").map(({ body }) => body.contribution));
}

/** Leave the call out of the sums. */
export function setAside(records: Records, contribution: string): void {
  if (!notThere(records).has(contribution)) records.put<NotThere>("not-there", { contribution });
}

/** Count the call again. Two sessions may both have set it aside. */
export function countAgain(records: Records, contribution: string): void {
  for (const { id, body } of records.all<NotThere>("not-there"))
    if (body.contribution === contribution) records.remove(id);
}

/** The contributions that the officer's sums run over. */
export function attended(records: Records): Contribution[] {
  return without(contributions(records), notThere(records));
}
