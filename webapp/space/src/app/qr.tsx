// Draws desk's QR code without ever taking markup from a string: only its path data is read, and checked letter by
// letter.

import type { JSX } from "preact";

interface Drawing {
  readonly size: number;
  readonly path: string;
  readonly scale: number;
}

/** Size and dark modules of an SVG as `webapp/desk/qr.py` makes it; null for anything else. */
export function readQr(svg: string): Drawing | null {
  const size = /<svg[^>]* (?:width|viewBox)="(?:0 0 )?([0-9]+)/.exec(svg)?.[1];
  const paths = [...svg.matchAll(/<path([^>]*)>/g)].map(([, attributes]) => attributes ?? "");
  const dark = paths.find((attributes) => attributes.includes("stroke="));
  const path = dark && / d="([MmHhVvLlZz0-9., -]+)"/.exec(dark)?.[1];
  const scale = dark && / transform="scale\(([0-9.]+)\)"/.exec(dark)?.[1];
  return size && path ? { size: Number(size), path, scale: scale ? Number(scale) : 1 } : null;
}

export function QrCode({ svg }: { svg: string }): JSX.Element | null {
  const drawing = readQr(svg);
  if (!drawing) return null;
  const modules = drawing.size / drawing.scale;
  return (
    <svg class="ww-qr" viewBox={`0 0 ${modules} ${modules}`} role="img" aria-label="QR code for your authenticator app">
      <path d={drawing.path} stroke="#000" stroke-width="1" fill="none" />
    </svg>
  );
}
