// ZIP archives of a few small files, stored and not compressed: every system opens them by a double click.
//
// After PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16. What is read here was written here.

import { type Bytes, concat, text, utf8 } from "../bytes.js";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const VERSION = 20;
const UTF8_NAMES = 0x0800;
// 1 January 1980: when the copy was made stands in it.
const DOS_DATE = 0x0021;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Bytes): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Little-endian fields: [bytes, value]. */
function fields(...values: (readonly [2 | 4, number])[]): Bytes {
  const out = new DataView(new ArrayBuffer(values.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of values) {
    if (size === 2) out.setUint16(at, value, true);
    else out.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(out.buffer);
}

/** An archive of `files`, each a name and its content. */
export function zip(files: readonly (readonly [string, Bytes])[]): Bytes {
  const [local, central]: [Bytes[], Bytes[]] = [[], []];
  let offset = 0;
  for (const [title, content] of files) {
    const name = utf8(title);
    const size = content.length;
    const common = fields(
      ...([
        [2, VERSION],
        [2, UTF8_NAMES],
        [2, 0],
        [2, 0],
        [2, DOS_DATE],
      ] as const),
      ...([
        [4, crc32(content)],
        [4, size],
        [4, size],
        [2, name.length],
        [2, 0],
      ] as const),
    );
    const header = concat(fields([4, LOCAL]), common, name);
    central.push(
      concat(fields([4, CENTRAL], [2, VERSION]), common, fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name),
    );
    local.push(header, content);
    offset += header.length + size;
  }
  const directory = concat(...central);
  const count = files.length;
  const end = fields([4, END], [2, 0], [2, 0], [2, count], [2, count], [4, directory.length], [4, offset], [2, 0]);
  return concat(...local, directory, end);
}

/** The content of the first file of an archive that `zip` made, when it has this name; else null. */
export function first(archive: Bytes, title: string): Bytes | null {
  if (archive.length < LOCAL_BYTES) return null;
  const view = new DataView(archive.buffer, archive.byteOffset);
  const [stored, size, length] = [view.getUint16(8, true) === 0, view.getUint32(18, true), view.getUint16(26, true)];
  const name = utf8(title);
  const start = LOCAL_BYTES + length + view.getUint16(28, true);
  if (view.getUint32(0, true) !== LOCAL || !stored || start + size > archive.length) return null;
  if (length !== name.length || text(archive.slice(LOCAL_BYTES, LOCAL_BYTES + length)) !== title) return null;
  const content = archive.slice(start, start + size);
  return crc32(content) === view.getUint32(14, true) ? content : null;
}
