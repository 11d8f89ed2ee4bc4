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

// Little-endian numbers of `size` bytes each.
function numbers(size: number, values: readonly number[]): Bytes {
  return Uint8Array.from(values.flatMap((value) => Array.from({ length: size }, (_, byte) => value >>> (8 * byte))));
}
const u16 = (...values: number[]) => numbers(2, values);
const u32 = (...values: number[]) => numbers(4, values);

/** An archive of `files`, each a name and its content. */
export function zip(files: readonly (readonly [string, Bytes])[]): Bytes {
  const [local, central]: [Bytes[], Bytes[]] = [[], []];
  let offset = 0;
  for (const [title, content] of files) {
    const name = utf8(title);
    const size = content.length;
    const common = concat(
      u16(VERSION, UTF8_NAMES, 0, 0, DOS_DATE),
      u32(crc32(content), size, size),
      u16(name.length, 0),
    );
    const header = concat(u32(LOCAL), common, name);
    central.push(concat(u32(CENTRAL), u16(VERSION), common, u16(0, 0, 0), u32(0, offset), name));
    local.push(header, content);
    offset += header.length + size;
  }
  const directory = concat(...central);
  const count = files.length;
  const end = concat(u32(END), u16(0, 0, count, count), u32(directory.length, offset), u16(0));
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
