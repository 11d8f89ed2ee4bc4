// The private space without a browser: `node prepare.mjs enrol|session …`, for the demonstration and for tests.
//
// Owns: the command line. Everything else is the same code that the browser runs, over the same requests. It writes
// secrets only into the file that `--out` names (readable by its owner only), never to the terminal.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Context } from "../context.js";
import { hooks } from "../hooks.js";
import { anonymous, Problem } from "../net.js";
import { postProblem } from "../post/session.js";
import { makeSupporterKeys, publicBlock } from "../post/supporters.js";
import { startThread, threads, write } from "../post/threads.js";
import { Gate, newSecrets, Session } from "../session.js";
import { fingerprintMatches, readClaimedTrustee } from "../site.js";
import { totp } from "./totp.js";
import { nodeFetch } from "./transport.js";

const USAGE = `node prepare.mjs enrol --desk URL --space URL --ca FILE --connect ADDRESS --name N --password P
    (--code C | no code: one is set up with the slip) --slip S --trustee-fingerprint F --out FILE.json
    [--supporter [--phone P] [--about A] [--language L ...]]
node prepare.mjs session --desk URL --space URL --ca FILE --connect ADDRESS --name N --password P --code C
    --words "six words or recovery code" --out FILE.json
    [--write-to NUMBER --alias A --text TEXT] [--reply THREAD --text TEXT] [--read]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    desk: { type: "string" },
    space: { type: "string" },
    ca: { type: "string" },
    connect: { type: "string", default: "127.0.0.1" },
    name: { type: "string" },
    password: { type: "string" },
    code: { type: "string", default: "" },
    slip: { type: "string", default: "" },
    "trustee-fingerprint": { type: "string", default: "" },
    words: { type: "string", default: "" },
    supporter: { type: "boolean", default: false },
    phone: { type: "string", default: "" },
    about: { type: "string", default: "" },
    language: { type: "string", multiple: true, default: ["English"] },
    "write-to": { type: "string" },
    alias: { type: "string", default: "" },
    reply: { type: "string" },
    text: { type: "string", default: "" },
    read: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

function needed(name: "desk" | "space" | "ca" | "name" | "password" | "out"): string {
  const value = values[name];
  if (!value) throw new Problem("usage", `--${name} is missing.`, USAGE);
  return value;
}

function writeResult(result: object): void {
  writeFileSync(needed("out"), `${JSON.stringify(result, null, 1)}\n`, { mode: 0o600 });
}

async function gate(): Promise<{ gate: Gate; totpSecret: string | null }> {
  const space = new URL(needed("space")).origin;
  const opened = await Gate.open(nodeFetch(needed("ca"), values.connect, space), space, hooks);
  if (`https://${opened.site.hosts.desk}` !== new URL(needed("desk")).origin) {
    throw new Problem("other_site", "site.json names another desk than --desk.", "Check both addresses.");
  }
  const signedIn = await opened.signIn(needed("name"), needed("password"), values.code);
  if (signedIn.state === "ready") return { gate: opened, totpSecret: null };
  const { secret } = await opened.api.totpBegin(values.slip);
  await opened.api.totpConfirm(totp(secret, opened.now().getTime()));
  return { gate: opened, totpSecret: secret };
}

async function enrol(): Promise<void> {
  const { gate: opened, totpSecret } = await gate();
  const trustee = await readClaimedTrustee(anonymous(opened.fetch), opened.spaceBase);
  if (!fingerprintMatches(trustee, values["trustee-fingerprint"])) {
    throw new Problem("fingerprint", "The trustee key here is not the one on the slip.", "Do not go on.");
  }
  const secrets = await newSecrets();
  const session = await Session.create(opened, values.slip, secrets, trustee);
  const { phone, about, language: languages } = values;
  let supporter = null;
  if (values.supporter) {
    await makeSupporterKeys(session.ctx);
    supporter = publicBlock(session.ctx, { name: session.ctx.name, phone, about, languages });
  }
  await session.lock();
  writeResult({
    name: values.name,
    handle: opened.signedIn.handle,
    words: secrets.passphrase.replaceAll("-", " "),
    recovery: secrets.recovery,
    totp_secret: totpSecret,
    supporter,
  });
}

async function support(ctx: Context): Promise<void> {
  if (values["write-to"] !== undefined) {
    const supporter = ctx.keylist?.supporters.find(({ number }) => String(number) === values["write-to"]);
    if (!supporter)
      throw new Problem("no_supporter", "The signed key list has no such number.", "Look at the directory.");
    await startThread(ctx, supporter, values.alias, values.text);
  }
  if (values.reply !== undefined) write(ctx, values.reply, values.text);
}

async function session(): Promise<void> {
  const { gate: opened } = await gate();
  const unlocked = await Session.unlock(opened, values.words);
  if (!unlocked) throw new Problem("wrong_words", "Those words do not open this private space.", "Check them.");
  const { ctx } = unlocked;
  try {
    await support(ctx);
  } catch (error) {
    unlocked.abandon();
    throw error;
  }
  const result = {
    handle: ctx.handle,
    exposure: ctx.vault.all("exposure").map(({ body }) => body),
    entries: ctx.vault.all("entry").map(({ body }) => body),
    findings: unlocked.findings,
    keylist: ctx.keylist?.version ?? null,
    keylist_problem: unlocked.keylistProblem?.message ?? null,
    entries_problem: unlocked.entriesProblem?.message ?? null,
    post_problem: postProblem(ctx)?.message ?? null,
    ...(values.read ? { threads: threads(ctx) } : {}),
  };
  await unlocked.lock();
  writeResult(result);
}

async function main(): Promise<void> {
  const command = { enrol, session }[positionals[0] ?? ""];
  if (!command) throw new Problem("usage", "Say enrol or session.", USAGE);
  await command();
}

main().catch((error: unknown) => {
  const sentence = error instanceof Problem ? `${error.message}\n  what to do: ${error.fix}` : String(error);
  process.stderr.write(`prepare: ${sentence}\n`);
  process.exitCode = 1;
});
