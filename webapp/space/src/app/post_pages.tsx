// Where the sealed post's pages stand in the open space.

import type { JSX } from "preact";
import type { Context } from "../context.js";
import type { NavigationItem } from "./shell.js";

export function postNavigation(_ctx: Context): NavigationItem[] {
  return [];
}

export function postPage(_route: string, _ctx: Context): JSX.Element | null {
  return null;
}
