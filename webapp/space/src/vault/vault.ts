// One unlocked vault and its stored copy on desk: open, save by compare-and-swap, merge, change secrets, close.
//
// Owns: the master key while unlocked. Every save writes the same number of bytes, whether or not anything changed.
// Must never see: the page. What the passphrase was is not kept.

import { base64, random, unbase64, type Bytes } from "../bytes.js";
import { Conflict, Problem, type Api, type StoredVault, type Wraps } from "../net.js";
import { compact } from "./compact.js";
import { blobSize, openVault, sealVault, TooLarge } from "./format.js";
import { RecordStore } from "./records.js";
import { unwrap, wrap } from "./wraps.js";

const MASTER_BYTES = 32;
const MERGE_TRIES = 5;

export class Vault {
  private constructor(
    private master: Bytes,
    readonly handle: string,
    readonly records: RecordStore,
    private enrolledOn: string,
    private version: number,
    private readonly now: () => Date,
  ) {}

  /** A new, empty vault with a fresh master key; nothing is stored yet (`firstBlob`, then `stored`). */
  static create(handle: string, now: () => Date): Vault {
    return new Vault(random(MASTER_BYTES), handle, new RecordStore(now), now().toISOString().slice(0, 10), 0, now);
  }

  /**
   * Open a stored vault with `secret`, which is either the passphrase or the recovery code as `secrets.ts` reads them.
   * Gives null when the secret is wrong. Throws Problem when the blob was altered or is an older one under a new number.
   */
  static async open(
    stored: StoredVault,
    handle: string,
    which: keyof Wraps,
    secret: string,
    now: () => Date,
  ): Promise<Vault | null> {
    const master = await unwrap(stored.wraps[which], secret);
    if (!master || master.length !== MASTER_BYTES) return null;
    const vault = new Vault(master, handle, new RecordStore(now), stored.enrolled_on, stored.version, now);
    try {
      vault.records.merge(await openVault(master, handle, stored.version, unbase64(stored.blob)));
    } catch {
      throw new Problem(
        "vault_altered",
        "Your private space opened with your words, but what is stored in it was altered or is not the newest copy.",
        "Do not go on. Tell the officers' trustee that the stored copy does not match its number.",
      );
    }
    return vault;
  }

  /** The wraps of this vault's master key under both secrets. */
  async wraps(passphrase: string, recovery: string): Promise<Wraps> {
    return { passphrase: await wrap(this.master, passphrase), recovery: await wrap(this.master, recovery) };
  }

  /** The blob as the version after the stored one. Throws Problem when it does not fit even when compacted. */
  async nextBlob(): Promise<string> {
    const size = blobSize(this.enrolledOn, this.now());
    const attempt = () =>
      sealVault(this.master, this.handle, this.version + 1, this.records.snapshot(), size).then(base64);
    this.records.dropOldTombstones();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
    }
    compact(this.records, this.now());
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      throw new Problem(
        "vault_full",
        "Your private space is full for this year.",
        "End conversations that you no longer need; the rest stays as it is.",
      );
    }
  }

  /** The stored version is now `version`. */
  stored(version: number): void {
    if (version !== this.version + 1) throw new Error("desk stored another version than the one that was sealed");
    this.version = version;
    this.records.saved();
  }

  /** Save; when another session saved meanwhile, merge and save again. `keep`: this is the version of a lock. */
  async save(api: Api, keep: boolean): Promise<void> {
    await this.#swap(async () => (await api.saveVault(this.version, await this.nextBlob(), keep)).version);
  }

  /** A new master key under new secrets: blob and wraps change together, and the old secrets open nothing any more. */
  async changeSecrets(api: Api, passphrase: string, recovery: string): Promise<void> {
    const [old, fresh] = [this.master, random(MASTER_BYTES)];
    await this.#swap(async () => {
      this.master = fresh;
      try {
        const wraps = await this.wraps(passphrase, recovery);
        return (await api.saveWraps(this.version, await this.nextBlob(), wraps)).version;
      } catch (error) {
        this.master = old;
        throw error;
      }
    });
    old.fill(0);
  }

  async #swap(write: () => Promise<number>): Promise<void> {
    for (let tries = 0; tries < MERGE_TRIES; tries++) {
      try {
        this.stored(await write());
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        await this.#takeOver(error);
      }
    }
    throw new Problem("busy", "Your private space is being saved elsewhere at the same time.", "Lock the other one.");
  }

  async #takeOver(conflict: Conflict): Promise<void> {
    let theirs;
    try {
      theirs = await openVault(this.master, this.handle, conflict.version, unbase64(conflict.blob));
    } catch {
      throw new Problem(
        "new_secrets",
        "Your words were changed in another session, so this one cannot save any more.",
        "Lock, and unlock with the new words.",
      );
    }
    this.records.merge(theirs);
    this.version = conflict.version;
  }

  /** Forget key and content. */
  close(): void {
    this.master.fill(0);
    this.records.clear();
  }
}
