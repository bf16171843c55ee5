// The frame: who is signed in and how long, the views, what was said last, and the password where it is asked for again.
import type { SessionManager } from "@sallyport/client";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Who } from "./app.tsx";
import { refusalBy } from "./api/admin.ts";
import { type Refusal, type Request, refusalOf } from "./api/call.ts";
import { hashOf, type Place, placeOf } from "./logic/route.ts";
import { countdown } from "./logic/format.ts";
import type { Lang, Texts } from "./texts/index.ts";
import { useNow } from "./ui/clock.ts";
import { type Console, Context, useConsole } from "./ui/context.ts";
import { Dialog } from "./ui/dialog.tsx";
import { Logo } from "./ui/logo.tsx";
import { Pill, Problem } from "./ui/parts.tsx";
import { wakePaused } from "./ui/poll.ts";
import { Tabs } from "./ui/tabs.tsx";
import { HealthView, useHealth } from "./views/health.tsx";
import { PortalView } from "./views/portal.tsx";
import { SessionsView } from "./views/sessions.tsx";
import { TokensView } from "./views/tokens.tsx";

const HUMAN = ["keydown", "pointerdown", "pointermove"];
const SAID_FOR_MS = 7000;
/** From so much on, how long one is still signed in is shown. */
const WARN_MS = 5 * 60_000;

interface FrameProps {
  who: Who;
  manager: SessionManager;
  t: Texts;
  lang: Lang;
  signOut(): Promise<void>;
  lost(refusal: Refusal): void;
}

export function Frame(props: FrameProps) {
  const { who, manager, t, lang } = props;
  const [place, setPlace] = useState<Place>(() => placeOf(location.hash));
  const [said, setSaid] = useState("");
  const [asking, setAsking] = useState<((done: boolean) => void) | null>(null);

  useEffect(() => {
    const moved = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", moved);
    // Before this it was not listened for.
    moved();
    return () => removeEventListener("hashchange", moved);
  }, []);
  // The client has heard of them before, and takes whoever is there for active.
  useEffect(() => {
    for (const type of HUMAN) addEventListener(type, wakePaused);
    return () => {
      for (const type of HUMAN) removeEventListener(type, wakePaused);
    };
  }, []);
  const forget = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const say = useCallback((text: string) => {
    clearTimeout(forget.current);
    setSaid(text);
    forget.current = setTimeout(() => setSaid(""), SAID_FOR_MS);
  }, []);

  const act = useCallback(
    async <T,>(request: Request): Promise<T> => {
      try {
        return await who.conn.call<T>(request);
      } catch (error) {
        if (refusalOf(error).code !== "insufficient_user_authentication") throw error;
        const given = await new Promise<boolean>((done) => setAsking(() => done));
        setAsking(null);
        if (!given) throw error;
        return who.conn.call<T>(request);
      }
    },
    [who],
  );

  const console: Console = useMemo(
    () => ({
      ...who,
      t,
      lang,
      place,
      go: (to) => {
        location.hash = hashOf(to);
      },
      say,
      act,
      lost: props.lost,
    }),
    [who, t, place, say, act],
  );

  return (
    <Context.Provider value={console}>
      <a class="skip" href="#view" onClick={skip}>
        {t.skip}
      </a>
      <Body {...props} />
      <div class="said" role="status" aria-live="polite">
        {said && <span>{said}</span>}
      </div>
      {asking && <AskPassword manager={manager} done={asking} />}
    </Context.Provider>
  );
}

/** Without its hash, which says where one is. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("view")?.focus();
}

function Body(props: FrameProps) {
  const { t, place } = useConsole();
  const { who } = props;
  const health = useHealth();
  useEffect(() => {
    document.title = `${t.views[place.view]} · ${t.title}`;
    // What led here is no longer there: a link within the view before. The tabs keep the focus.
    if (document.activeElement === document.body) document.getElementById("view")?.focus();
  }, [place.view, t]);
  return (
    <>
      <header>
        <span class="brand">
          <Logo /> Sallyport
        </span>
        <Tabs />
        <span class="grow" />
        {health.data && (
          <Pill tone={health.data.status === "healthy" ? "good" : "bad"}>
            {health.data.status === "healthy" ? t.healthy : t.degraded}
          </Pill>
        )}
        {who.name !== null && <SignedOutIn manager={props.manager} />}
        <span class="who">{who.name ?? t.keyInUse}</span>
        <SignOut signOut={props.signOut} />
      </header>
      <main>
        <div id="view" role="tabpanel" aria-labelledby={`tab-${place.view}`} tabIndex={-1}>
          {place.view === "tokens" && <TokensView />}
          {place.view === "sessions" && <SessionsView />}
          {place.view === "portal" && <PortalView />}
          {place.view === "health" && <HealthView health={health} />}
        </div>
      </main>
    </>
  );
}

function SignOut({ signOut }: { signOut(): Promise<void> }) {
  const { t } = useConsole();
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  return (
    <>
      <button
        type="button"
        onClick={() => {
          signOut().catch((error: unknown) => setRefusal(refusalOf(refusalBy(error))));
        }}
      >
        {t.signOut}
      </button>
      {refusal && <Problem refusal={refusal} />}
    </>
  );
}

/** What the page asks by itself is no activity, so the console signs out a person who is away, as it does any other. */
function SignedOutIn({ manager }: { manager: SessionManager }) {
  const { t } = useConsole();
  const now = useNow();
  const [, changed] = useState(0);
  useEffect(() => manager.subscribe(() => changed((n) => n + 1)), [manager]);
  const { idleDeadline, absoluteDeadline } = manager.getSnapshot();
  const end = Math.min(idleDeadline ?? Infinity, absoluteDeadline ?? Infinity);
  // Both are by this device's clock, which the shown one may differ from.
  const left = end - Date.now();
  if (now === 0 || left > WARN_MS) return null;
  return (
    <span class="warning">
      {t.endsIn} <span class="num">{countdown(left, t.day)}</span>{" "}
      <button type="button" class="small" onClick={() => void manager.keepAlive().catch(() => {})}>
        {t.stay}
      </button>
    </span>
  );
}

function AskPassword({ manager, done }: { manager: SessionManager; done(given: boolean): void }) {
  const { t } = useConsole();
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  return (
    <Dialog title={t.recent} close={() => done(false)}>
      <form
        onSubmit={async (event) => {
          event.preventDefault();
          if (busy) return;
          setBusy(true);
          setRefusal(null);
          try {
            await manager.reauthenticate(password);
            done(true);
          } catch (error) {
            setRefusal(refusalOf(refusalBy(error)));
            setBusy(false);
          }
        }}
      >
        <p>{t.recentNote}</p>
        <label>
          {t.password}
          <input
            type="password"
            autocomplete="current-password"
            required
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        {refusal && <Problem refusal={refusal} />}
        <div class="buttons">
          <button type="button" onClick={() => done(false)}>
            {t.cancel}
          </button>
          <button type="submit" class="primary" aria-busy={busy}>
            {t.confirm}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
