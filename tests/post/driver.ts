// People's browsers without a page: reads one command a line from stdin, answers one line. Runs the product's own hooks over
// real HTTP to real servers; writes down what anyone on the wire, or the servers, could see of each request.

import { request } from "node:http";
import { createInterface } from "node:readline";
import { base64, unbase64 } from "../../webapp/space/src/bytes.js";
import { charter } from "../../webapp/space/src/constants.js";
import type { Context } from "../../webapp/space/src/context.js";
import { anonymous, type Fetch } from "../../webapp/space/src/net.js";
import { makeCell, newKeys, Opener } from "../../webapp/space/src/post/cells.js";
import { onLock, onUnlock, postProblem } from "../../webapp/space/src/post/session.js";
import { keyCheck, keyState, makeSupporterKeys, publicBlock } from "../../webapp/space/src/post/supporters.js";
import { endThread, startThread, threads, waitingParts, write } from "../../webapp/space/src/post/threads.js";
import { RecordStore } from "../../webapp/space/src/vault/records.js";

const setup = JSON.parse(process.argv[2] ?? "{}") as {
  hosts: { desk: string; post: string; space: string };
  ports: { desk: number; post: number; static: number };
  site: unknown;
};
type Seen = { method: string; url: string; sent: number; headers: string[]; status: number; received: number };

function wire(trace: Seen[], headers: Record<string, string> = {}, cutOff = ""): Fetch {
  return (url, init = {}) =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      if (target.host === cutOff) return reject(new Error("cut off"));
      const which = (["desk", "post", "space"] as const).find((name) => setup.hosts[name] === target.host);
      if (!which) return reject(new Error(`no host ${target.host}`));
      const files = which === "space" || target.pathname.startsWith("/boards/");
      const body = init.body === undefined || init.body === null ? null : Buffer.from(init.body as Uint8Array);
      const sent: Record<string, string> = { ...headers, Host: target.host, Origin: `https://${setup.hosts.space}` };
      Object.assign(sent, Object.fromEntries(new Headers(init.headers)));
      if (body) sent["Content-Length"] = String(body.length);
      const call = request(
        {
          host: "127.0.0.1",
          port: files ? setup.ports.static : setup.ports[which as "desk" | "post"],
          path: target.pathname,
          method: init.method ?? "GET",
          headers: sent,
          agent: false,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("end", () => {
            const status = answer.statusCode ?? 500;
            const received = Buffer.concat(chunks);
            trace.push({
              method: init.method ?? "GET",
              url: `${which}${target.pathname}`,
              sent: body?.length ?? 0,
              headers: Object.keys(sent).sort(),
              status,
              received: received.length,
            });
            resolve(new Response(status === 204 ? null : received, { status }));
          });
        },
      );
      call.on("error", reject);
      call.end(body ?? undefined);
    });
}

const vaults = new Map<string, RecordStore>();

interface Command {
  who: string;
  token: string;
  roles: string[];
  keylist: Context["keylist"];
  actions: { do: string; to?: number; thread?: string; text?: string }[];
  abandon?: boolean;
  skipDummy?: boolean;
  withoutPost?: boolean;
  days?: number;
}

async function session(command: Command) {
  const trace: Seen[] = [];
  const now = () => new Date(Date.now() + (command.days ?? 0) * 86_400_000);
  const vault = vaults.get(command.who) ?? new RecordStore(now);
  vaults.set(command.who, vault);
  const desk = wire(trace, { Authorization: `Bearer ${command.token}` });
  const call = async (path: string, body?: object) => {
    const answer = await desk(`https://${setup.hosts.desk}${path}`, {
      method: body ? "POST" : "GET",
      headers: { "Content-Type": "application/json" },
      ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };
  const plain = anonymous(wire(trace, {}, command.withoutPost ? setup.hosts.post : ""));
  // The control: a browser that saves itself the dummies.
  const thrifty: Fetch = async (url, init) => {
    const kind = url.split("/cells/")[1] as "requests" | undefined;
    return kind && waitingParts(ctx, kind).length === 0 ? new Response(null, { status: 204 }) : plain(url, init);
  };
  const ctx = {
    api: {
      ticketKeys: () => call("/api/ticket-keys"),
      tickets: (purpose: string, period: string, blinded: string[]) =>
        call("/api/tickets", { purpose, period, blinded }),
    },
    vault,
    site: setup.site,
    keylist: command.keylist,
    roles: command.roles,
    handle: command.who,
    name: command.who,
    now,
    fetch: command.skipDummy ? thrifty : plain,
    postBase: `https://${setup.hosts.post}`,
    spaceBase: `https://${setup.hosts.space}`,
  } as unknown as Context;
  await onUnlock(ctx);
  let problem = postProblem(ctx);
  const answers: unknown[] = [];
  for (const action of command.actions) answers.push(await act(ctx, action));
  if (!command.abandon) {
    await onLock(ctx);
    problem ??= postProblem(ctx);
  }
  return {
    trace,
    problem: problem?.message ?? null,
    answers,
    threads: threads(ctx),
    records: vault.snapshot().records,
  };
}

async function act(ctx: Context, action: Command["actions"][number]): Promise<unknown> {
  const thread = action.thread ?? threads(ctx)[0]?.thread ?? "";
  switch (action.do) {
    case "start": {
      const supporter = ctx.keylist?.supporters.find(({ number }) => number === action.to);
      if (!supporter) throw new Error(`no supporter ${action.to}`);
      return startThread(ctx, supporter, "Blue Heron", action.text ?? "");
    }
    case "write":
      return write(ctx, thread, action.text ?? "");
    case "end":
      return endThread(ctx, thread);
    case "keys": {
      await makeSupporterKeys(ctx);
      const about = { name: ctx.name, phone: "555-0100", about: "Here to listen", languages: ["English"] };
      const block = publicBlock(ctx, about);
      return { block, check: await keyCheck(block) };
    }
    case "key-state":
      return keyState(ctx);
    default:
      throw new Error(`no action ${action.do}`);
  }
}

async function cells(command: { seal?: { to: { xwing: string; x25519: string }; content: object }; dummies?: number }) {
  if (command.seal) {
    const { to, content } = command.seal;
    const keys = { xwing: unbase64(to.xwing), x25519: unbase64(to.x25519) };
    return { cell: base64(await makeCell({ to: keys, content })) };
  }
  const mine = await newKeys();
  const dummies = await Promise.all(Array.from({ length: command.dummies ?? 0 }, () => makeCell(null)));
  const opener = new Opener(mine.secret);
  const real = await makeCell({ to: mine.public, content: { hello: "there" } });
  const began = performance.now();
  const opened = await Promise.all(dummies.map((cell) => opener.open(cell)));
  const milliseconds = (performance.now() - began) / dummies.length;
  return { opened, milliseconds, own: await opener.open(real), sizes: [...dummies, real].map(({ length }) => length) };
}

const commands: Record<string, (command: never) => Promise<unknown>> = {
  session,
  cells,
  open: async (command: { secret: { xwing: string; x25519: string }; cell: string }) =>
    new Opener({ xwing: unbase64(command.secret.xwing), x25519: unbase64(command.secret.x25519) }).open(
      unbase64(command.cell),
    ),
  charter: async () => charter.constants,
};
for await (const line of createInterface({ input: process.stdin })) {
  const { name, ...rest } = JSON.parse(line) as { name: string };
  try {
    const command = commands[name];
    if (!command) throw new Error(`no command ${name}`);
    process.stdout.write(`${JSON.stringify({ ok: (await command(rest as never)) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String((error as Error).stack) })}\n`);
  }
}
