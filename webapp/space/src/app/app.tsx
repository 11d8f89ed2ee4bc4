// The private space from the first page to the lock: which page is shown when.
//
// Owns: the stage (signing in, creating, unlocking, open) and the ways out: lock, leave, idle, a closed page.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { hooks } from "../hooks.js";
import { CreatePage } from "../pages/create.js";
import { SignInPage } from "../pages/sign_in.js";
import { UnlockPage } from "../pages/unlock.js";
import { Gate, type Session } from "../session.js";
import { OpenSpace } from "./open_space.js";
import { ProblemNote } from "./parts.js";
import { Shell } from "./shell.js";

type Stage =
  | { readonly at: "starting" }
  | { readonly at: "locking" }
  | { readonly at: "sign-in" }
  | { readonly at: "create"; readonly slip: string; readonly replace: boolean }
  | { readonly at: "unlock" }
  | { readonly at: "open"; readonly session: Session; readonly fresh: boolean; readonly notLocked?: unknown }
  | { readonly at: "gone" };

const LOCKED = "Your private space is locked.";
const NOT_SAVED = "Your private space is locked, but what you did since the last save could not be saved.";
const LEAVE_WITHIN_MS = 1500;

export function App(): JSX.Element | null {
  const [gate, setGate] = useState<Gate | null>(null);
  const [stage, setStage] = useState<Stage>({ at: "starting" });
  const [notice, setNotice] = useState("");
  const [problem, setProblem] = useState<unknown>(null);
  const open = useRef<Session | null>(null);
  open.current = stage.at === "open" ? stage.session : null;

  const start = (words: string) => {
    setNotice(words);
    Gate.open((url, init) => fetch(url, init), location.origin, hooks)
      .then((opened) => {
        setGate(opened);
        setStage({ at: "sign-in" });
      })
      .catch(setProblem);
  };

  useEffect(() => {
    start("");
    const gone = () => open.current?.abandon();
    // A page taken back from the browser's memory must not show what it showed before.
    const back = (event: PageTransitionEvent) => event.persisted && location.reload();
    addEventListener("pagehide", gone);
    addEventListener("pageshow", back);
    return () => {
      removeEventListener("pagehide", gone);
      removeEventListener("pageshow", back);
    };
  }, []);

  const lock = (anyway: boolean) => {
    const session = open.current;
    if (!session) return;
    open.current = null;
    setStage({ at: "locking" });
    session
      .lock(anyway)
      .then(() => LOCKED)
      .catch((problem: unknown) => {
        // Locked by now, or still open because it could not be saved: nothing that is on the page is lost.
        if (session.ended) return NOT_SAVED;
        setStage({ at: "open", session, fresh: false, notLocked: problem });
        return "";
      })
      .then((words) => {
        if (!words) return;
        location.hash = "";
        start(words);
      });
  };

  const over = (words: string) => {
    open.current?.abandon();
    open.current = null;
    setStage({ at: "starting" });
    location.hash = "";
    start(words);
  };

  const leave = () => {
    const session = open.current;
    open.current = null;
    document.title = "Wardwell";
    setStage({ at: "gone" });
    const away = () => location.replace(gate ? `https://${gate.site.hosts.desk}/leave` : "/crisis/");
    const late = new Promise<void>((resolve) => setTimeout(resolve, LEAVE_WITHIN_MS));
    const done = session
      ? session.lock(true).catch(() => undefined)
      : gate?.person
        ? gate.api.lock()
        : Promise.resolve();
    void Promise.race([done, late]).then(away, away);
  };

  if (stage.at === "gone") return null;
  if (stage.at === "open" && gate) {
    const { session, fresh, notLocked } = stage;
    return (
      <OpenSpace
        gate={gate}
        session={session}
        fresh={fresh}
        notLocked={notLocked}
        onLock={lock}
        onLeave={leave}
        onEnded={() => over("Your private space was locked, because your sign-in ended.")}
        onErased={over}
      />
    );
  }

  const signedIn = (slip: string) => {
    setNotice("");
    setStage(gate?.signedIn.enrolled ? { at: "unlock" } : { at: "create", slip, replace: false });
  };
  const opened = (fresh: boolean) => (session: Session) => {
    location.hash = "#/";
    setStage({ at: "open", session, fresh });
  };
  return (
    <Shell
      agency={gate?.site.agency ?? ""}
      demonstration={gate?.site.demonstration ?? false}
      navigation={[]}
      route="/"
      leave={leave}
      lock={null}>
      <ProblemNote problem={problem} />
      {stage.at === "locking" && (
        <p class="govuk-body" role="status">
          Saving and locking.
        </p>
      )}
      {gate && stage.at === "sign-in" && <SignInPage gate={gate} onReady={signedIn} notice={notice} />}
      {gate && stage.at === "create" && (
        <CreatePage gate={gate} slip={stage.slip} replace={stage.replace} onOpen={opened(true)} />
      )}
      {gate && stage.at === "unlock" && (
        <UnlockPage
          gate={gate}
          onOpen={opened(false)}
          onStartOver={() => setStage({ at: "create", slip: "", replace: true })}
        />
      )}
    </Shell>
  );
}
