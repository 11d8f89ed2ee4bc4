// One entry of the access log, as the vault keeps it. Types alone, so that what reads entries and what explains lost
// ones need not know each other.

/** What an entry says: who looked at what, why, and whether it was allowed. */
export interface EntryBody {
  readonly actor: string;
  readonly actor_role: string;
  readonly category: string;
  readonly purpose: string;
  readonly outcome: "allowed" | "refused";
  readonly incident: string;
  readonly everyone: boolean;
  readonly note: string;
}

/** One opened entry, as it lies in the vault. `proved` says whether its leaf was found in a signed tree. */
export interface Entry {
  readonly sequence: number;
  readonly leaf_index: number;
  readonly at: string;
  readonly previous: string;
  readonly commit: string;
  readonly body: EntryBody;
  readonly proved: boolean;
  /** The log was restored from a backup of before it: it is in the log no more, and its number may be another's. */
  readonly lost?: true;
}
