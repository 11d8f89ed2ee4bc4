// The private space's requests to desk. Owns: paths, the typed answers, and errors as plain sentences.
//
// The session's token lives in this object, in page memory, and nowhere else: no cookie, no storage. Requests carry no
// credentials and no referrer. Must never be used for post: what goes there carries no token (see `anonymous`).

/** The `fetch` that a session was given: the browser's own, or the Node transport of `src/node/transport.ts`. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** A failure that a person should read about: what went wrong and what to do. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly fix: string,
    readonly status = 0,
  ) {
    super(message);
  }
}

/** A legal hold in force: its matter, and when it was placed and last reviewed ("2026-11-23"). */
export interface LegalHold {
  readonly matter: string;
  readonly placed_on: string;
  readonly reviewed_on: string;
}

export interface SignedIn {
  readonly token: string;
  readonly state: "ready" | "needs_slip";
  readonly handle: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly enrolled: boolean;
  readonly idle_seconds: number;
  readonly warning_seconds: number;
  readonly now: string;
}

/** The master key's wraps, one per secret; `passkey` only if a security key was added. */
export interface Wraps {
  readonly passphrase: string;
  readonly recovery: string;
  readonly passkey?: string;
}

export interface StoredVault {
  readonly version: number;
  readonly blob: string;
  readonly wraps: Wraps;
  readonly enrolled_on: string;
}

export interface Delivery {
  readonly id: string;
  readonly kind: string;
  readonly cycle: number;
  readonly sealed: string;
}

export interface HeadProof {
  readonly handle: string;
  readonly epoch: number;
  readonly leaf_index: number;
  readonly last_sequence: number;
  readonly key_hash: string;
  readonly salt: string;
  readonly position: number;
  readonly rows: number;
  readonly proof: readonly string[];
}

/** Which version of this vault was the newest when leaf `leaf_index` was made, and that the leaf says so. */
export interface VersionProof {
  readonly leaf_index: number;
  readonly version: number;
  readonly salt: string;
  readonly position: number;
  readonly rows: number;
  readonly proof: readonly string[];
}

export interface EntriesResponse {
  readonly entries: readonly {
    readonly sequence: number;
    readonly leaf_index: number;
    readonly provisional: boolean;
    readonly sealed: string;
  }[];
  readonly provisional_key: string | null;
  readonly head: HeadProof | null;
  readonly mailbox_leaf_index: number | null;
  readonly versions: readonly VersionProof[];
}

export interface TicketKey {
  readonly purpose: string;
  readonly period: string;
  readonly spki: string;
  readonly leaf_index: number;
}

export interface Enrolment {
  readonly slip: string;
  readonly wraps: Wraps;
  readonly mailbox_key: string;
  readonly blob: string;
  /** Destroy the vault that there is: nothing sealed before can be read again. */
  readonly replace: boolean;
}

/** The vault on desk is newer than the one this save was made from. */
export class Conflict extends Problem {
  constructor(
    readonly version: number,
    readonly blob: string,
  ) {
    super("conflict", "Your private space was changed in another place.", "It is being merged.", 409);
  }
}

const PLAIN: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", redirect: "error" };

/** Requests are given up after this time: nothing may hold up a lock, and with it the keys, forever. */
const WAIT_MS = 60_000;

function unreachable(): Problem {
  return new Problem("unreachable", "That part of Wardwell does not answer.", "Wait a minute and try again.");
}

/** `fetch` for requests that must not say who asks: no token, cookie or referrer. Throws Problem when unreachable. */
export function anonymous(fetch: Fetch): Fetch {
  return async (url, init = {}) => {
    try {
      return await fetch(url, { ...PLAIN, signal: AbortSignal.timeout(WAIT_MS), ...init });
    } catch {
      throw unreachable();
    }
  };
}

/** The bytes of a static file, or null when it does not exist. Throws Problem when unreachable. */
export async function readFile(fetch: Fetch, url: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const response = await fetch(url);
  if (response.status === 404) return null;
  if (!response.ok) {
    throw new Problem(
      "unreadable",
      "A page of this site could not be read.",
      "Try again in a minute.",
      response.status,
    );
  }
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    // Cut off in the middle.
    throw unreachable();
  }
}

/** Calls to desk. `base` is its origin; `token` is set by `signIn` and forgotten by `lock`. */
export class Api {
  #token = "";

  constructor(
    private readonly fetch: Fetch,
    private readonly base: string,
  ) {}

  async #call<T>(method: string, path: string, body?: unknown, keepalive = false): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response | null = null;
    let parsed: unknown = null;
    try {
      response = await this.fetch(`${this.base}${path}`, {
        ...PLAIN,
        method,
        headers,
        keepalive,
        signal: AbortSignal.timeout(WAIT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      parsed = await response.json();
    } catch {
      // Cut off in the middle of a good answer: as without any answer, nobody knows whether desk did it.
      if (!response || response.ok) {
        throw new Problem(
          "unreachable",
          "Wardwell does not answer.",
          "Check the network, wait a minute and try again.",
        );
      }
    }
    if (response.ok) return parsed as T;
    const failure = parsed as { error?: Partial<Problem>; version?: number; blob?: string } | null;
    if (response.status === 409 && typeof failure?.version === "number" && typeof failure.blob === "string") {
      throw new Conflict(failure.version, failure.blob);
    }
    throw new Problem(
      failure?.error?.code ?? "failed",
      failure?.error?.message ?? "Wardwell could not do that.",
      failure?.error?.fix ?? "Try again. If it keeps failing, tell agency IT that the private space reports an error.",
      response.status,
    );
  }

  async signIn(name: string, password: string, code: string): Promise<SignedIn> {
    const signedIn = await this.#call<SignedIn>("POST", "/api/sign-in", { name, password, code });
    this.#token = signedIn.token;
    return signedIn;
  }

  totpBegin(slip: string): Promise<{ secret: string; uri: string; qr_svg: string }> {
    return this.#call("POST", "/api/totp/begin", { slip });
  }

  totpConfirm(code: string): Promise<{ state: "ready" }> {
    return this.#call("POST", "/api/totp/confirm", { code });
  }

  enrol(enrolment: Enrolment): Promise<{ version: number; leaf_index: number }> {
    return this.#call("POST", "/api/enrol", enrolment);
  }

  /** The stored vault, or null when there is none. */
  async vault(): Promise<StoredVault | null> {
    try {
      return await this.#call<StoredVault>("GET", "/api/vault");
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  }

  /** Throws Conflict with the newer vault when `expected_version` is not the stored one. */
  saveVault(expected_version: number, blob: string, keep: boolean): Promise<{ version: number }> {
    return this.#call("PUT", "/api/vault", { expected_version, blob, keep });
  }

  /** Earlier versions, newest first: the last one locked on each of the last five days. */
  kept(): Promise<{ kept: readonly Pick<StoredVault & { readonly day: string }, "day" | "version" | "blob">[] }> {
    return this.#call("GET", "/api/vault/kept");
  }

  /** `added`: the same master key as before under one more wrap, not a new one. */
  saveWraps(expected_version: number, blob: string, wraps: Wraps, added: boolean): Promise<{ version: number }> {
    return this.#call("PUT", "/api/vault/wraps", { expected_version, blob, wraps, added });
  }

  /** Two people's codes: what was before is sealed to a space that was started over. */
  openPast(codes: readonly string[]): Promise<object> {
    return this.#call("POST", "/api/past", { codes });
  }

  /** 32 bytes sealed to the mailbox key, to prove an open space, and the legal holds on the agency's records. */
  leaving(): Promise<{ challenge: string; holds: readonly LegalHold[] }> {
    return this.#call("GET", "/api/leave");
  }

  leave(word: string, answer: string): Promise<{ gone_by: string }> {
    return this.#call("POST", "/api/leave", { word, answer });
  }

  deliveries(): Promise<{ deliveries: readonly Delivery[] }> {
    return this.#call("GET", "/api/deliveries");
  }

  deliveriesTaken(ids: readonly string[]): Promise<object> {
    return this.#call("POST", "/api/deliveries/taken", { ids });
  }

  /** Entries after the sequence number `after`, and version proofs from leaf `leaf` on. */
  entries(after: number, leaf: number): Promise<EntriesResponse> {
    return this.#call("GET", `/api/entries?after=${after}&leaf=${leaf}`);
  }

  ticketKeys(): Promise<{ keys: readonly TicketKey[]; epoch: number }> {
    return this.#call("GET", "/api/ticket-keys");
  }

  /** `blinded` and `signatures`: base64. */
  tickets(purpose: string, period: string, blinded: readonly string[]): Promise<{ signatures: readonly string[] }> {
    return this.#call("POST", "/api/tickets", { purpose, period, blinded });
  }

  releases(): Promise<{ releases: readonly { period: string; release: unknown; leaf_index: number }[] }> {
    return this.#call("GET", "/api/releases");
  }

  extend(): Promise<{ idle_seconds: number }> {
    return this.#call("POST", "/api/extend", {});
  }

  /** End the session on desk and forget the token, whether or not desk answers. */
  async lock(): Promise<void> {
    try {
      // keepalive: the request outlives the page when the tab is closed.
      await this.#call("POST", "/api/lock", {}, true);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.#token = "";
    }
  }
}
