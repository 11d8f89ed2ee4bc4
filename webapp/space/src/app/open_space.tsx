// The unlocked space: navigation, pages by address, idle lock, and what must be told at once.

import type { JSX } from "preact";
import { useEffect, useMemo, useReducer } from "preact/hooks";
import { charter } from "../constants.js";
import { CheckInPage } from "../pages/check_in.js";
import { ExposurePage } from "../pages/exposure.js";
import { HomePage } from "../pages/home.js";
import { ScreenersPage } from "../pages/screeners.js";
import { WhoLookedPage } from "../pages/who_looked.js";
import type { Gate, Session } from "../session.js";
import { formats as makeFormats } from "./format.js";
import { IdleLock } from "./idle.js";
import { postNavigation, postPage } from "./post_pages.js";
import { useRoute } from "./router.js";
import { Shell, type NavigationItem } from "./shell.js";

const HISTORY_LOOKS_MS = 3000;

interface OpenSpaceProps {
  readonly gate: Gate;
  readonly session: Session;
  /** The first session: the own history arrives within seconds, so look for it more often. */
  readonly fresh: boolean;
  readonly onLock: () => void;
  readonly onLeave: () => void;
  /** Desk ended the session. */
  readonly onEnded: () => void;
}

export function OpenSpace({ gate, session, fresh, onLock, onLeave, onEnded }: OpenSpaceProps): JSX.Element {
  const { ctx } = session;
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const route = useRoute();
  const formats = useMemo(() => makeFormats(ctx.site.time_zone), [ctx]);
  const hasExposure = ctx.roles.some((role) => role === "officer" || role === "peer");

  useEffect(
    () =>
      session.listen(() => {
        if (session.saveProblem?.status === 401) onEnded();
        else redraw(0);
      }),
    [session],
  );

  useEffect(() => {
    if (!fresh || !hasExposure) return;
    let looks = 0;
    const timer = setInterval(() => {
      looks += 1;
      if (ctx.vault.all("history").length > 0 || looks > 20) clearInterval(timer);
      else void session.tick();
    }, HISTORY_LOOKS_MS);
    return () => clearInterval(timer);
  }, [session, fresh]);

  const navigation: NavigationItem[] = [
    { route: "/", title: "Home" },
    ...(hasExposure
      ? [
          { route: "/exposure", title: "Exposure" },
          { route: "/check-in", title: "Check in" },
          { route: "/questionnaires", title: "Questionnaires" },
        ]
      : []),
    { route: "/who-looked", title: "Who looked" },
    ...postNavigation(ctx),
  ];

  const page = () => {
    if (route === "/exposure" && hasExposure) return <ExposurePage ctx={ctx} formats={formats} waiting={fresh} />;
    if (route === "/check-in" && hasExposure) return <CheckInPage ctx={ctx} formats={formats} />;
    if (route === "/questionnaires" && hasExposure) return <ScreenersPage ctx={ctx} formats={formats} />;
    if (route === "/who-looked") {
      const { findings, entriesProblem } = session;
      return <WhoLookedPage ctx={ctx} findings={findings} problem={entriesProblem} formats={formats} />;
    }
    return postPage(route, ctx) ?? <HomePage ctx={ctx} formats={formats} hasExposure={hasExposure} />;
  };

  const { idle_seconds, warning_seconds } = gate.signedIn;
  return (
    <Shell
      agency={ctx.site.agency}
      demonstration={ctx.site.demonstration}
      navigation={navigation}
      route={route}
      leave={onLeave}
      lock={onLock}
    >
      {session.saveProblem && (
        <div class="ww-note" role="status">
          <p class="govuk-body govuk-!-margin-0">
            Not saved: {session.saveProblem.message} It is tried again every minute; do not close this page yet.
          </p>
        </div>
      )}
      {ctx.site.charter_digest !== charter.digest && (
        <div class="ww-note" role="status">
          <p class="govuk-body govuk-!-margin-0">
            The charter was changed after these pages were made. What they say about who can see what may be out of date:{" "}
            <a class="govuk-link" href="/charter/">
              read the charter
            </a>
            .
          </p>
        </div>
      )}
      {/* The key gives each page its own life, so that its heading takes the focus. */}
      <div key={route}>{page()}</div>
      <IdleLock
        idleSeconds={idle_seconds}
        warningSeconds={warning_seconds}
        extend={() => ctx.api.extend()}
        lock={onLock}
      />
    </Shell>
  );
}
