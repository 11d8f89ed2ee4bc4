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

/** One opened entry, as the vault stores it. `proved` says whether its leaf was proved to be in a signed tree. */
export interface Entry {
  readonly sequence: number;
  readonly leaf_index: number;
  readonly at: string;
  readonly previous: string;
  readonly commit: string;
  readonly body: EntryBody;
  readonly proved: boolean;
  /** The log was restored from an earlier backup: the entry is no longer in it, and another may have its number. */
  readonly lost?: true;
}
