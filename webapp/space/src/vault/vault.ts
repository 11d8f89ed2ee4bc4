// One unlocked vault and its stored copy on desk: open, save by compare-and-swap, merge, change secrets, close.
//
// Owns: the master key while unlocked. Every save writes the same number of bytes, whether or not anything changed.
// Must never see: the page. What the passphrase was is not kept.

import { type Bytes, base64, random, unbase64 } from "../bytes.js";
import { type Api, Conflict, Problem, type StoredVault, type Wraps } from "../net.js";
import { compact } from "./compact.js";
import { blobSize, openVault, sealVault, TooLarge } from "./format.js";
import { RecordStore, type Snapshot } from "./records.js";
import { unwrap, unwrapByKey, wrap, wrapForKey } from "./wraps.js";

const MASTER_BYTES = 32;
const MERGE_TRIES = 5;

function full(): Problem {
  return new Problem(
    "vault_full",
    "Your private space is full for this year.",
    "End conversations that you no longer need; the rest stays as it is.",
  );
}

export class Vault {
  // What was sealed last, when it had to be folded to fit.
  #folded: RecordStore | null = null;
  // A new master key that desk may or may not have stored: its answer did not arrive.
  #unsure: Bytes | null = null;
  #closed = false;

  private constructor(
    private master: Bytes,
    readonly handle: string,
    readonly records: RecordStore,
    private enrolledOn: string,
    public version: number,
    private readonly now: () => Date,
  ) {}

  /** A new, empty vault with a fresh master key; nothing is stored yet (`firstBlob`, then `stored`). */
  static create(handle: string, now: () => Date): Vault {
    return new Vault(random(MASTER_BYTES), handle, new RecordStore(now), now().toISOString().slice(0, 10), 0, now);
  }

  /**
   * Open a stored vault with `secret`, which is either the passphrase or the recovery code as `secrets.ts` reads them.
   * Gives null when the secret is wrong. Throws Problem when the blob was altered or is an older one under a new
   * number.
   */
  static async open(
    stored: StoredVault,
    handle: string,
    which: "passphrase" | "recovery",
    secret: string,
    now: () => Date,
  ): Promise<Vault | null> {
    const master = await unwrap(stored.wraps[which], secret);
    return master && Vault.#with(master, stored, handle, now);
  }

  /**
   * Open a stored vault with its security key. Throws Problem as `open` does, and when there is none or it is not used.
   */
  static async openByKey(stored: StoredVault, handle: string, now: () => Date): Promise<Vault> {
    if (!stored.wraps.passkey) {
      throw new Problem(
        "no_key",
        "No security key was added to your space.",
        "Unlock with your words; you can add one then.",
      );
    }
    return Vault.#with(await unwrapByKey(stored.wraps.passkey), stored, handle, now);
  }

  static async #with(master: Bytes, stored: StoredVault, handle: string, now: () => Date): Promise<Vault> {
    const vault = new Vault(master, handle, new RecordStore(now), stored.enrolled_on, stored.version, now);
    try {
      vault.records.merge(await openVault(master, handle, stored.version, unbase64(stored.blob)));
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem(
        "vault_altered",
        "Your private space opened with your words, but what is stored in it was altered or is not the newest copy.",
        "Do not go on. Tell the officers' trustee that the stored copy does not match its number.",
      );
    }
    return vault;
  }

  /**
   * What an earlier blob of this vault holds; null when it was altered, or is another version than it is said to be.
   */
  async read(version: number, blob: string): Promise<Snapshot | null> {
    return openVault(this.master, this.handle, version, unbase64(blob)).catch(() => null);
  }

  /** The wraps of this vault's master key under both secrets. */
  async wraps(passphrase: string, recovery: string): Promise<Wraps> {
    return { passphrase: await wrap(this.master, passphrase), recovery: await wrap(this.master, recovery) };
  }

  /**
   * Make `change` if its result can be saved; gives what it gave. Throws Problem when it does not fit even when folded.
   */
  async change<T>(change: (records: RecordStore) => T): Promise<T> {
    const trial = this.records.copy();
    change(trial);
    compact(trial, this.now());
    await this.#seal(trial).catch((error: unknown) => {
      throw error instanceof TooLarge ? full() : error;
    });
    return change(this.records);
  }

  async #seal(records: RecordStore): Promise<string> {
    const size = blobSize(this.enrolledOn, this.now());
    const blob = await sealVault(this.master, this.handle, this.version + 1, records.snapshot(), size);
    // Forgotten meanwhile: this may be nothing, under a key of zeros, and must never take the stored copy's place.
    if (this.#closed) throw new Problem("locked", "Your private space is locked.", "Sign in and unlock it again.");
    return base64(blob);
  }

  /** The blob as the version after the stored one. Throws Problem when it does not fit even when folded. */
  async nextBlob(): Promise<string> {
    this.records.dropOldTombstones();
    this.#folded = null;
    try {
      return await this.#seal(this.records);
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
    }
    // In a copy: two sessions that both folded a call would count it twice, so a fold holds only once it is stored.
    const folded = this.records.copy();
    compact(folded, this.now());
    try {
      const blob = await this.#seal(folded);
      this.#folded = folded;
      return blob;
    } catch (error) {
      throw error instanceof TooLarge ? full() : error;
    }
  }

  /** The stored version is now `version`. */
  stored(version: number): void {
    if (version !== this.version + 1) throw new Error("desk stored another version than the one that was sealed");
    this.version = version;
    if (this.#folded) this.records.merge(this.#folded.snapshot());
    this.#folded = null;
  }

  /** Save; when another session saved meanwhile, merge and save again. `keep`: this is the version of a lock. */
  async save(api: Api, keep: boolean): Promise<void> {
    await this.#swap(async () => (await api.saveVault(this.version, await this.nextBlob(), keep)).version);
  }

  /**
   * A new master key under new secrets: blob and wraps change together, and the old secrets open nothing any more. When
   * desk's answer does not arrive, this throws, and the next save finds out which key holds; calling it again is safe.
   */
  async changeSecrets(api: Api, passphrase: string, recovery: string): Promise<void> {
    await this.#swap(async () => {
      const [old, fresh] = [this.master, random(MASTER_BYTES)];
      this.master = fresh;
      try {
        const wraps = await this.wraps(passphrase, recovery);
        const { version } = await api.saveWraps(this.version, await this.nextBlob(), wraps, false);
        old.fill(0);
        return version;
      } catch (error) {
        this.master = old;
        if (!(error instanceof Conflict)) this.#unsure = fresh;
        throw error;
      }
    });
  }

  /**
   * Wrap the master key for a security key too; an earlier one opens nothing any more. Asks for the key, and gives what
   * stores the wrap. Throws Problem.
   */
  async wrapForKey(): Promise<(api: Api) => Promise<void>> {
    const { master } = this;
    const passkey = await wrapForKey(master);
    return (api) =>
      this.#swap(async () => {
        const stored = await api.vault();
        if (!stored || this.master !== master) {
          throw new Problem(
            "changed",
            "What opens your space changed meanwhile.",
            "Lock, unlock, and add the key again.",
          );
        }
        return (await api.saveWraps(this.version, await this.nextBlob(), { ...stored.wraps, passkey }, true)).version;
      });
  }

  async #swap(write: () => Promise<number>): Promise<void> {
    for (let tries = 0; tries < MERGE_TRIES; tries++) {
      try {
        this.stored(await write());
        this.#unsure = null;
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        await this.#takeOver(error);
      }
    }
    throw new Problem("busy", "Your private space is being saved elsewhere at the same time.", "Lock the other one.");
  }

  async #takeOver(conflict: Conflict): Promise<void> {
    // Desk's numbers only grow: a "newer" copy with an older number, or with this one's, is an old copy served again.
    if (conflict.version <= this.version) {
      throw new Problem(
        "old_copy",
        "An older copy of your private space was served instead of the newest one. Nothing was taken from it.",
        "Do not lock yet: what you did is still on this page. Tell the officers' trustee.",
      );
    }
    const theirs = await this.#openNewest(conflict);
    if (!theirs) {
      throw new Problem(
        "new_secrets",
        "The stored copy does not open any more: your words were changed in another session, or the copy was altered.",
        "Lock, and unlock with the newest words. If you changed none, tell the officers' trustee.",
      );
    }
    this.records.merge(theirs);
    this.version = conflict.version;
  }

  async #openNewest({ version, blob }: Conflict): Promise<Snapshot | null> {
    for (const key of this.#unsure ? [this.master, this.#unsure] : [this.master]) {
      const found = await openVault(key, this.handle, version, unbase64(blob)).catch(() => null);
      if (!found) continue;
      this.master = key;
      return found;
    }
    return null;
  }

  /** Forget key and content; a save that has begun is not sent any more. */
  close(): void {
    this.#closed = true;
    this.master.fill(0);
    this.#unsure?.fill(0);
    this.records.clear();
    this.#folded?.clear();
  }
}
