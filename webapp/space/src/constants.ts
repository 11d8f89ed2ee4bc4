// What the browser and the appliance must agree on. Owns: the typed view of `appliance/rules/constants.json` and of the
// charter's words and numbers, as `provisioning/build_space.py` takes them from the charter object. Holds no secret.

import constantsJson from "../../../appliance/rules/constants.json";
import charterJson from "../.cache/charter.json";
import { type Bytes, utf8 } from "./bytes.js";

export const constants = constantsJson;

/** The charter as it was when this code was built: labels for cards, titles of roles, the numbers. */
export const charter: {
  readonly version: number;
  readonly digest: string;
  readonly title: string;
  readonly constants: Readonly<Record<CharterNumber, number>>;
  readonly roles: Readonly<Record<string, string>>;
  readonly categories: Readonly<Record<string, { readonly title: string; readonly label: string }>>;
} = charterJson;

export type CharterNumber =
  | "floor"
  | "cosignature_age_hours"
  | "epoch_min_sessions"
  | "epoch_max_days"
  | "tickets_per_session"
  | "reply_cells_per_session"
  | "delivery_bytes"
  | "history_bytes"
  | "involvement_days"
  | "idle_minutes"
  | "idle_warning_seconds"
  | "exposure_within_seconds";

/**
 * The visibility label of a charter category, word for word. Throws Error for a category that is not in the charter.
 */
export function label(category: string): string {
  const known = charter.categories[category];
  if (!known) throw new Error(`no category ${category} in the charter`);
  return known.label;
}

/** The HPKE `info` for `kind` and recipient id, as `appliance/crypto/sealing.py` makes it. */
export function info(kind: string, recipient?: string): Bytes {
  return utf8(`${constants.info_prefix}/${kind}${recipient === undefined ? "" : `/${recipient}`}`);
}
