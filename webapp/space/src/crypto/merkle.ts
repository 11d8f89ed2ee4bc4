// The Merkle tree of RFC 6962: leaf hashes, inclusion and consistency proofs, made from and checked against hashes.
//
// Owns: the arithmetic. Where hashes come from is the caller's `Nodes` (tiles over the network, or a list in a test).
// Proof checking follows RFC 9162, sections 2.1.3.2 and 2.1.4.2.

import { type Bytes, equal, sha256 } from "../bytes.js";

/** The hash of the perfect subtree of 2^level leaves that starts at leaf index * 2^level. */
export type Nodes = (level: number, index: number) => Promise<Bytes>;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** SHA-256(0x00 || leaf). */
export function leafHash(leaf: Uint8Array): Promise<Bytes> {
  return sha256(LEAF, leaf);
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(NODE, left, right);
}

function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

async function subtree(nodes: Nodes, start: number, end: number): Promise<Bytes> {
  const size = end - start;
  const level = Math.log2(size);
  if (Number.isInteger(level) && start % size === 0) return nodes(level, start / size);
  const k = split(size);
  return nodeHash(await subtree(nodes, start, start + k), await subtree(nodes, start + k, end));
}

/** The root over the first `size` leaves. */
export function rootOf(nodes: Nodes, size: number): Promise<Bytes> {
  return size === 0 ? sha256() : subtree(nodes, 0, size);
}

/** The inclusion proof of leaf `index` in the tree of `size` leaves, from the leaf upwards. */
export async function inclusionProof(nodes: Nodes, index: number, size: number): Promise<Bytes[]> {
  const path: Bytes[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const k = start + split(end - start);
    if (index < k) {
      path.push(await subtree(nodes, k, end));
      end = k;
    } else {
      path.push(await subtree(nodes, start, k));
      start = k;
    }
  }
  return path.reverse();
}

/** Whether `leaf` (its hash) is leaf `index` of the tree of `size` leaves with `root`. */
export async function verifyInclusion(
  leaf: Bytes,
  index: number,
  size: number,
  proof: readonly Bytes[],
  root: Bytes,
): Promise<boolean> {
  if (index < 0 || index >= size) return false;
  let [fn, sn, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = await nodeHash(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else {
      hash = await nodeHash(hash, sibling);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equal(hash, root);
}

/** The proof that the tree of `first` leaves is a prefix of the tree of `second` leaves (0 < first <= second). */
export async function consistencyProof(nodes: Nodes, first: number, second: number): Promise<Bytes[]> {
  async function part(m: number, start: number, end: number, whole: boolean): Promise<Bytes[]> {
    const n = end - start;
    if (m === n) return whole ? [] : [await subtree(nodes, start, end)];
    const k = split(n);
    if (m <= k) return [...(await part(m, start, start + k, whole)), await subtree(nodes, start + k, end)];
    return [...(await part(m - k, start + k, end, false)), await subtree(nodes, start, start + k)];
  }
  return part(first, 0, second, true);
}

/** Whether `proof` shows that the tree (`first`, `firstRoot`) is a prefix of the tree (`second`, `secondRoot`). */
export async function verifyConsistency(
  first: number,
  firstRoot: Bytes,
  second: number,
  secondRoot: Bytes,
  proof: readonly Bytes[],
): Promise<boolean> {
  if (first === 0 || first > second) return false;
  if (first === second) return proof.length === 0 && equal(firstRoot, secondRoot);
  const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : [...proof];
  const seed = path[0];
  if (seed === undefined) return false;
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [fr, sr] = [seed, seed];
  for (const c of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = await nodeHash(c, fr);
      sr = await nodeHash(c, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else {
      sr = await nodeHash(sr, c);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equal(fr, firstRoot) && equal(sr, secondRoot);
}
