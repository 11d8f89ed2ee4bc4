// What a copy of the vault is: its format, the files in it, and the shape of its records.

import type { VaultRecord } from "../context.js";

export const FORMAT = "wardwell-export";
export const VERSION = 1;

/** Names of the files in a copy. */
export const NAMES = { records: "my-copy.json", pages: "my-copy.html", fhir: "questionnaires.fhir.json" } as const;

/** What the file of records holds. `exported_at` and each record's `at` are ISO times in UTC. */
export interface Copy {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly exported_at: string;
  readonly records: readonly VaultRecord[];
}
