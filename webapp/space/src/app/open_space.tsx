// The unlocked space: navigation, pages by address, idle lock, and what must be told at once.

import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { charter } from "../constants.js";
import { formats as makeFormats } from "../formats.js";
import { BringBackPage } from "../pages/bring_back.js";
import { ChangeWordsPage } from "../pages/change_words.js";
import { CheckInPage } from "../pages/check_in.js";
import { ChoicesPage } from "../pages/choices.js";
import { ExportPage } from "../pages/export.js";
import { ExposurePage } from "../pages/exposure.js";
import { HomePage } from "../pages/home.js";
import { LeavePage } from "../pages/leave.js";
import { ScreenersPage } from "../pages/screeners.js";
import { SecurityKeyPage } from "../pages/security_key.js";
import { VersionsPage } from "../pages/versions.js";
import { WhoLookedPage } from "../pages/who_looked.js";
import type { Gate, Session } from "../session.js";
import { IdleLock } from "./idle.js";
import { Button, Link, Note, ProblemNote } from "./parts.js";
import { postNavigation, postPage } from "./post_pages.js";
import { useRoute } from "./router.js";
import { type NavigationItem, Shell } from "./shell.js";
import { useRedraw } from "./work.js";

const HISTORY_LOOKS_MS = 3000;

interface OpenSpaceProps {
  readonly gate: Gate;
  readonly session: Session;
  /** The first session: the officer's history arrives within seconds, so look for it more often. */
  readonly fresh: boolean;
  /** Why locking did not work just now. */
  readonly notLocked: unknown;
  readonly onLock: (anyway: boolean) => void;
  readonly onLeave: () => void;
  /** Desk ended the session. */
  readonly onEnded: () => void;
  /** Its owner erased the space. */
  readonly onErased: (words: string) => void;
}

export function OpenSpace(props: OpenSpaceProps): JSX.Element {
  const { gate, session, fresh, notLocked, onLock, onLeave, onEnded, onErased } = props;
  const { ctx } = session;
  const redraw = useRedraw();
  const route = useRoute();
  const formats = useMemo(() => makeFormats(ctx.site.time_zone), [ctx]);
  const hasExposure = ctx.roles.some((role) => role === "officer" || role === "peer");

  useEffect(
    () =>
      session.listen(() => {
        if (session.saveProblem?.status === 401) onEnded();
        else redraw();
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
    ...(hasExposure
      ? [
          { route: "/choices", title: "Choices" },
          { route: "/export", title: "Take a copy" },
        ]
      : []),
  ];

  const page = () => {
    if (route === "/exposure" && hasExposure) return <ExposurePage ctx={ctx} formats={formats} waiting={fresh} />;
    if (route === "/check-in" && hasExposure) return <CheckInPage ctx={ctx} formats={formats} />;
    if (route === "/questionnaires" && hasExposure) return <ScreenersPage ctx={ctx} formats={formats} />;
    if (route === "/export" && hasExposure) return <ExportPage ctx={ctx} formats={formats} />;
    if (route === "/bring-back" && hasExposure) return <BringBackPage session={session} />;
    if (route === "/choices" && hasExposure) return <ChoicesPage ctx={ctx} formats={formats} />;
    if (route === "/versions" && hasExposure) return <VersionsPage session={session} formats={formats} />;
    if (route === "/words") return <ChangeWordsPage session={session} formats={formats} />;
    if (route === "/security-key") return <SecurityKeyPage session={session} />;
    if (route === "/leave") return <LeavePage ctx={ctx} formats={formats} onErased={onErased} />;
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
      lock={() => onLock(false)}>
      {notLocked !== undefined && (
        <>
          <ProblemNote problem={notLocked} />
          <p class="govuk-body">Your space is still open: what you did since the last save is only on this page.</p>
          <div class="ww-actions">
            <Button onClick={() => onLock(false)}> Try to lock again</Button>
            <Button kind="warning" onClick={() => onLock(true)}>
              {" "}
              Lock without saving
            </Button>
          </div>
        </>
      )}
      {session.saveProblem && (
        <Note role="status">
          Not saved: {session.saveProblem.message} Saving is retried every minute; do not close this page yet.
        </Note>
      )}
      {[session.versionProblem, session.keylistProblem].map(
        (problem) =>
          problem && (
            <Note role="status" key={problem.code}>
              {problem.message} {problem.fix}
            </Note>
          ),
      )}
      {ctx.site.charter_digest !== charter.digest && (
        <Note role="status">
          The charter has changed since these pages were made, so what they say about who can see what may be out of
          date: <Link to="/charter/">read the charter</Link>.
        </Note>
      )}
      {/* The key gives each page its own life, so that its heading takes the focus. */}
      <div key={route}>{page()}</div>
      <IdleLock
        idleSeconds={idle_seconds}
        warningSeconds={warning_seconds}
        extend={() => ctx.api.extend()}
        lock={() => onLock(true)}
        saved={!session.saveProblem}
      />
    </Shell>
  );
}
