// The sealed post's pages and their places in the navigation.

import type { JSX } from "preact";
import type { Context } from "../context.js";
import { InboxPage } from "../pages/inbox.js";
import { SupportPage } from "../pages/support.js";
import { SupporterKeysPage } from "../pages/supporter_keys.js";
import { isSupporter } from "../post/supporters.js";
import type { NavigationItem } from "./shell.js";

/** Whether this person may ask for support here: everyone who works at the agency, but no clinician from outside. */
function mayAsk(ctx: Context): boolean {
  return ctx.roles.some((role) => role === "officer" || role === "peer");
}

export function postNavigation(ctx: Context): NavigationItem[] {
  return [
    ...(mayAsk(ctx) ? [{ route: "/support", title: "Support" }] : []),
    ...(isSupporter(ctx)
      ? [
          { route: "/inbox", title: "Inbox" },
          { route: "/supporter-keys", title: "Your keys" },
        ]
      : []),
  ];
}

export function postPage(route: string, ctx: Context): JSX.Element | null {
  if (route === "/support" && mayAsk(ctx)) return <SupportPage ctx={ctx} />;
  if (route === "/inbox" && isSupporter(ctx)) return <InboxPage ctx={ctx} />;
  if (route === "/supporter-keys" && isSupporter(ctx)) return <SupporterKeysPage ctx={ctx} />;
  return null;
}
