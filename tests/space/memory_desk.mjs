// A desk of a few lines in memory that answers as desk does, and an officer enrolled at it.

const { net, session, vault } = await import(process.env.WARDWELL_LIBRARY);
export const { Vault } = vault;
export const now = () => new Date("2026-11-23T12:00:00Z");
export const handle = "ab".repeat(16);

class MemoryDesk {
  version = 1;
  saves = [];
  constructor(blob, wraps) {
    Object.assign(this, { blob, wraps });
  }
  stored() {
    return { version: this.version, blob: this.blob, wraps: this.wraps, enrolled_on: "2026-11-23" };
  }
  async saveVault(expected, blob, keep) {
    if (expected !== this.version) throw new net.Conflict(this.version, this.blob);
    this.saves.push({ size: blob.length, keep });
    this.blob = blob;
    return { version: ++this.version };
  }
  async saveWraps(expected, blob, wraps) {
    const answer = await this.saveVault(expected, blob, false);
    this.wraps = wraps;
    return answer;
  }
}

export async function enrolled() {
  const made = Vault.create(handle, now);
  const { passphrase, recovery } = await session.newSecrets();
  const wraps = await made.wraps(passphrase, recovery);
  const desk = new MemoryDesk(await made.nextBlob(), wraps);
  made.stored(1);
  return { made, desk, passphrase, recovery };
}
