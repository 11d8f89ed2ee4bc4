// From sign-in to lock, without DOM: the one path that the browser's pages and the Node tools both take.
//
// Owns: the order of things. Gate: which site, who. Unlock: vault open, site and key list checked by the pinned key,
// deliveries merged, entries checked, post's hook, first save. While unlocked: the same every minute, whatever
// happened. Lock: post's hook, the kept save, the token dead, everything forgotten.

import { base64, unbase64 } from "./bytes.js";
import { constants } from "./constants.js";
import type { Context, Records, VaultRecord } from "./context.js";
import { bringBack } from "./copy/bring_back.js";
import { keyPair } from "./crypto/sealing.js";
import { takeDeliveries } from "./deliveries.js";
import { checkEntries, type Findings } from "./entries.js";
import type { Opened } from "./freshness.js";
import { Api, anonymous, type Fetch, Problem, type SignedIn, type StoredVault } from "./net.js";
import { type PinnedKey, readKeyList, readSite, readUnverifiedSite, type Site } from "./site.js";
import { joined, newRecoveryCode, newWords, readPassphrase, readRecoveryCode } from "./vault/secrets.js";
import { Vault } from "./vault/vault.js";
import { unwrap } from "./vault/wraps.js";
import type { Earlier } from "./versions.js";

/** What takes its turn at unlock and at lock; in the product, the two exports of `post/session.ts`. */
export interface Hooks {
  onUnlock(ctx: Context): Promise<void>;
  onLock(ctx: Context): Promise<void>;
}

/** Before a vault is open: the site as it claims to be, and who signed in. */
export class Gate {
  readonly api: Api;
  person: SignedIn | null = null;
  #since = 0;

  private constructor(
    readonly fetch: Fetch,
    readonly spaceBase: string,
    readonly site: Site,
    readonly hooks: Hooks,
  ) {
    this.api = new Api(fetch, `https://${site.hosts.desk}`);
  }

  /** Read which site this is. Throws Problem when it does not answer. */
  static async open(fetch: Fetch, spaceBase: string, hooks: Hooks): Promise<Gate> {
    const site = await readUnverifiedSite(anonymous(fetch), spaceBase);
    return new Gate(fetch, spaceBase, site, hooks);
  }

  async signIn(name: string, password: string, code: string): Promise<SignedIn> {
    this.person = await this.api.signIn(name, password, code);
    this.#since = performance.now();
    return this.person;
  }

  /** Desk's clock at sign-in plus what has passed here since. */
  now = (): Date => new Date(Date.parse(this.signedIn.now) + (performance.now() - this.#since));

  get signedIn(): SignedIn {
    if (!this.person) throw new Error("nobody has signed in");
    return this.person;
  }
}

/** What opens a vault. `words` as they are shown; `passphrase` is the same as it is typed back. */
export interface Secrets {
  readonly words: readonly string[];
  readonly passphrase: string;
  readonly recovery: string;
}

/** Two fresh secrets, both drawn here. */
export async function newSecrets(): Promise<Secrets> {
  const words = newWords();
  return { words, passphrase: joined(words), recovery: await newRecoveryCode() };
}

/** The mailbox key as the vault keeps it; base64. */
interface MailboxKey {
  readonly seed: string;
  readonly public: string;
}

/** One unlock-to-lock. */
export class Session {
  /** Result of the last check of the person's entries; null before the first, or when it could not be made. */
  findings: Findings | null = null;
  /** Why the entries could not be checked, as a sentence. */
  entriesProblem: Problem | null = null;
  /** Why the supporters' key list is not used, as a sentence; null when it is, or when there is none. */
  keylistProblem: Problem | null = null;
  /** Why the copy that was served may not be the newest, for the rest of the session; null when nothing says so. */
  versionProblem: Problem | null = null;
  /** Why the last save did not work, or null; it is tried again in a minute. */
  saveProblem: Problem | null = null;
  readonly #opened: Opened;
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #busy: Promise<void> = Promise.resolve();
  #ended = false;
  #ticking = false;

  private constructor(
    readonly ctx: Context,
    private readonly vault: Vault,
    private readonly hooks: Hooks,
  ) {
    this.#opened = { version: vault.version, at: ctx.now().toISOString() };
  }

  /**
   * Create the vault and its mailbox key with a slip, pin the trustee's key, and start the first session. `replace`
   * ends an old vault.
   */
  static async create(
    gate: Gate,
    slip: string,
    secrets: Secrets,
    trustee: PinnedKey,
    replace = false,
  ): Promise<Session> {
    const vault = Vault.create(gate.signedIn.handle, gate.now);
    const mailbox = await keyPair();
    vault.records.put<MailboxKey>("mailbox-key", { seed: base64(mailbox.seed), public: base64(mailbox.public) });
    vault.records.put<PinnedKey>("trustee", trustee);
    const wraps = await vault.wraps(secrets.passphrase, secrets.recovery);
    const blob = await vault.nextBlob();
    const { version } = await gate.api.enrol({ slip, wraps, mailbox_key: base64(mailbox.public), blob, replace });
    vault.stored(version);
    return Session.#start(gate, vault);
  }

  /** Unlock with the six words or the recovery code; null when it is neither, or not the right one. */
  static async unlock(gate: Gate, typed: string): Promise<Session | null> {
    const [stored, secret] = [await Session.#stored(gate), await readSecret(typed)];
    if (!secret) return null;
    const vault = await Vault.open(stored, gate.signedIn.handle, secret.which, secret.value, gate.now);
    return vault && Session.#start(gate, vault);
  }

  /** Unlock with the security key that was added. */
  static async unlockByKey(gate: Gate): Promise<Session> {
    const vault = await Vault.openByKey(await Session.#stored(gate), gate.signedIn.handle, gate.now);
    return Session.#start(gate, vault);
  }

  static async #stored(gate: Gate): Promise<StoredVault> {
    const stored = await gate.api.vault();
    if (!stored) throw new Problem("no_vault", "There is no private space yet.", "Create it with your slip.", 404);
    return stored;
  }

  static async #start(gate: Gate, vault: Vault): Promise<Session> {
    const trustee = vault.records.all<PinnedKey>("trustee").at(-1)?.body;
    if (!trustee) throw new Error("a vault without a pinned trustee");
    const fetch = anonymous(gate.fetch);
    const pinned = vault.records.all<PinnedKey>("agency").at(-1)?.body ?? null;
    const { site, agency } = await readSite(fetch, gate.spaceBase, trustee, pinned, newestSeen(vault.records, "site"));
    rememberSeen(vault.records, "site", site.version);
    if (!pinned) vault.records.put<PinnedKey>("agency", agency);
    const { roles, handle, name } = gate.signedIn;
    let keylistProblem: Problem | null = null;
    const keylist = await readKeyList(fetch, gate.spaceBase, trustee, newestSeen(vault.records, "keylist")).catch(
      (error: unknown) => {
        if (!(error instanceof Problem) || !error.code.startsWith("keylist_")) throw error;
        keylistProblem = error;
        return null;
      },
    );
    if (keylist) rememberSeen(vault.records, "keylist", keylist.version);
    const ctx: Context = {
      api: gate.api,
      vault: vault.records,
      site,
      keylist,
      roles,
      handle,
      name,
      now: gate.now,
      fetch,
      postBase: `https://${site.hosts.post}`,
      spaceBase: gate.spaceBase,
    };
    const session = new Session(ctx, vault, gate.hooks);
    session.keylistProblem = keylistProblem;
    await session.refresh();
    await gate.hooks.onUnlock(ctx);
    await vault.save(ctx.api, false);
    session.#timer = setInterval(() => void session.tick(), constants.vault_save_seconds * 1000);
    return session;
  }

  /** Take what arrived: deliveries into the vault, new entries checked. Saved before desk may delete anything. */
  async refresh(): Promise<void> {
    await this.#alone(async () => {
      if (this.#ended) return;
      const { ctx, vault } = this;
      const { deliveries } = await ctx.api.deliveries();
      const mailbox = ctx.vault.all<MailboxKey>("mailbox-key").at(-1)?.body;
      if (!mailbox) throw new Error("a vault without a mailbox key");
      await takeDeliveries(ctx.vault, unbase64(mailbox.seed), ctx.handle, deliveries);
      try {
        this.findings = await checkEntries(ctx, this.#opened);
        const before = this.versionProblem?.code === "version_late" ? null : this.versionProblem;
        this.versionProblem = this.findings.versionProblem ?? before;
        this.entriesProblem = null;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        this.entriesProblem = error;
      }
      await vault.save(ctx.api, false);
      await ctx.api.deliveriesTaken(deliveries.map(({ id }) => id));
      this.saveProblem = null;
    });
    this.#tell();
  }

  /** What happens every minute, the same whether or not anything changed; also when a person asks to look again. */
  async tick(): Promise<void> {
    // A slow network must not pile up minutes behind each other, least of all in front of the lock.
    if (this.#ticking) return;
    this.#ticking = true;
    try {
      await this.refresh();
    } catch (error) {
      // Forgotten in the middle of it: there is nothing left to check or to save, and nobody to tell.
      if (this.#ended) return;
      const known = error instanceof Problem;
      this.saveProblem = known
        ? error
        : new Problem("failed", "Something went wrong in this browser.", "It is tried again.");
      this.#tell();
      if (!known) throw error;
    } finally {
      this.#ticking = false;
    }
  }

  /** The earlier versions that desk keeps, newest first. The only request here that is made because somebody asked. */
  async earlier(): Promise<Earlier[]> {
    const { kept } = await this.ctx.api.kept();
    return Promise.all(
      kept.map(async ({ day, version, blob }) => ({ day, content: await this.vault.read(version, blob) })),
    );
  }

  /** Put the records of a copy back; gives how many were new. Saved with the next save, so that nobody can tell. */
  async bringBack(brought: readonly VaultRecord[]): Promise<number> {
    const added = await this.vault.change((records) => bringBack(records, brought, this.ctx.now()));
    this.#tell();
    return added;
  }

  /** Whether `typed` is one of the secrets that open this space now. */
  async knows(typed: string): Promise<boolean> {
    const [stored, secret] = [await this.ctx.api.vault(), await readSecret(typed)];
    return !!stored && !!secret && (await unwrap(stored.wraps[secret.which], secret.value)) !== null;
  }

  /** New secrets instead of the present ones, which open nothing any more. Saves what there is. */
  async changeSecrets({ passphrase, recovery }: Secrets): Promise<void> {
    await this.#alone(async () => {
      if (!this.#ended) await this.vault.changeSecrets(this.ctx.api, passphrase, recovery);
    });
    this.#tell();
  }

  /** A security key that opens this space as the words do. Saves what there is. */
  async addKey(): Promise<void> {
    // Whoever takes the key out of a drawer keeps neither a save nor the lock waiting.
    const store = await this.vault.wrapForKey();
    await this.#alone(async () => {
      if (!this.#ended) await store(this.ctx.api);
    });
    this.#tell();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Lock in order: post's turn, the kept save, the token dead. Throws Problem when it cannot be saved: then the space
   * stays open, so that nothing is lost, and can be locked again. `anyway`: it is locked all the same.
   */
  async lock(anyway = false): Promise<void> {
    await this.#alone(async () => {
      if (this.#ended) return;
      await this.hooks.onLock(this.ctx);
      try {
        await this.vault.save(this.ctx.api, true);
      } catch (error) {
        // Desk ended the session: nothing can be saved any more, and nobody is asked in vain.
        if (!anyway && !(error instanceof Problem && error.status === 401)) throw error;
        await this.#end();
        throw error;
      }
      await this.#end();
    });
  }

  async #end(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#forget();
    await this.ctx.api.lock();
  }

  /** The page goes away: forget everything at once; only the token's death is still sent. */
  abandon(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    void this.ctx.api.lock();
    this.#forget();
  }

  /** Be told when something arrived or was saved; the answer stops it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #forget(): void {
    this.vault.close();
    this.#tell();
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  // Saves, refreshes and the lock follow one another; two at once would race for the vault's version.
  async #alone(work: () => Promise<void>): Promise<void> {
    const mine = this.#busy.then(work);
    this.#busy = mine.catch(() => undefined);
    await mine;
  }
}

/** The highest version of a signed file that this vault has seen. */
interface Seen {
  readonly file: "site" | "keylist";
  readonly version: number;
}

/** That version, 0 for none; two copies of a vault that were merged may hold two. */
function newestSeen(records: Records, file: Seen["file"]): number {
  return Math.max(
    0,
    ...records
      .all<Seen>("seen")
      .filter(({ body }) => body.file === file)
      .map(({ body }) => body.version),
  );
}

function rememberSeen(records: Records, file: Seen["file"], version: number): void {
  if (version === newestSeen(records, file)) return;
  for (const { id, body } of records.all<Seen>("seen")) if (body.file === file) records.remove(id);
  records.put<Seen>("seen", { file, version });
}

/** Which of a vault's secrets `typed` can be, as it was made; null when it can be none. */
async function readSecret(typed: string): Promise<{ which: "passphrase" | "recovery"; value: string } | null> {
  const passphrase = readPassphrase(typed);
  if (passphrase) return { which: "passphrase", value: passphrase };
  const recovery = await readRecoveryCode(typed);
  return recovery ? { which: "recovery", value: recovery } : null;
}
