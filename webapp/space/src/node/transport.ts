// A `fetch` for Node that reaches the appliance's hosts: for tests and for preparing demonstration vaults, never for
// the browser.
//
// `*.wardwell.localhost` resolves in Chromium but not in glibc, and the demonstration's CA is in no system store: so
// this connects to a given address, keeps the host name for TLS (SNI and certificate check) and Host, and trusts one CA
// file. It sends the Origin that the browser would send, so that desk's and post's CORS rules are exercised too.

import { readFileSync } from "node:fs";
import { request } from "node:https";
import type { Fetch } from "../net.js";

/**
 * A fetch that connects every https URL to `address` and trusts only `caFile`. `origin` is sent with every request that
 * is not to that origin itself, or not a GET, as browsers do.
 */
export function nodeFetch(caFile: string, address: string, origin: string): Fetch {
  const ca = readFileSync(caFile);
  return (url, init = {}) =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      const method = init.method ?? "GET";
      const headers: Record<string, string> = { Host: target.host };
      new Headers(init.headers).forEach((value, name) => {
        headers[name] = value;
      });
      if (target.origin !== origin || method !== "GET") headers.Origin = origin;
      const body = init.body === undefined || init.body === null ? null : Buffer.from(bodyBytes(init.body));
      if (body) headers["Content-Length"] = String(body.length);
      const sent = request(
        {
          host: address,
          port: target.port || 443,
          path: target.pathname + target.search,
          method,
          headers,
          ca,
          servername: target.hostname,
          agent: false,
          timeout: 20_000,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            const status = answer.statusCode ?? 500;
            const empty = status === 204 || status === 304;
            const kept = new Headers();
            for (const [name, value] of Object.entries(answer.headers)) {
              if (value !== undefined) kept.set(name, Array.isArray(value) ? value.join(", ") : value);
            }
            resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: kept }));
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("no answer within 20 s")));
      sent.on("error", reject);
      sent.end(body ?? undefined);
    });
}

function bodyBytes(body: BodyInit): Uint8Array | string {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw new Error("only text and bytes are sent");
}
