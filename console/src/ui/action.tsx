// What a person can do: a button, the `curl` that does the same, a question first where it destroys something, and the outcome.
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { type Refusal, type Request, refusalOf } from "../api/call.ts";
import { curl } from "../logic/curl.ts";
import { useConsole } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { Copy, Problem } from "./parts.tsx";

export interface Doing<T> {
  label: string;
  /** Where the label alone does not say of what. */
  of?: string;
  request: Request;
  /** What it will do, asked before it is done. */
  sure?: string;
  /** What is said once it is done. */
  done(answer: T): string;
  then?(answer: T): void;
  tone?: "primary" | "danger";
  small?: boolean;
}

export const Curl = ({ request, label }: { request: Request; label: string }) => {
  const { conn } = useConsole();
  const text = curl(request, location.origin, conn.kind);
  return (
    <div class="curl">
      <code>{text}</code>
      <Copy text={text} what={`curl, ${label}`} />
    </div>
  );
};

/** Does it, and holds how it went. */
export function useDoing<T>(doing: Pick<Doing<T>, "done" | "then">) {
  const { act, say } = useConsole();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const run = async (request: Request): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setRefusal(null);
    try {
      const answer = await act<T>(request);
      say(doing.done(answer));
      doing.then?.(answer);
      return true;
    } catch (error) {
      setRefusal(refusalOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, refusal, run, forget: () => setRefusal(null) };
}

export function Action<T = unknown>(props: Doing<T>) {
  const { t } = useConsole();
  const { busy, refusal, run, forget } = useDoing(props);
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState(false);
  const name = props.of ? `${props.label}: ${props.of}` : props.label;
  const curlOf = useId();
  return (
    <div class="action">
      <span class="joined">
        <button
          type="button"
          class={`${props.tone ?? ""} ${props.small ? "small" : ""}`}
          aria-busy={busy}
          aria-label={name === props.label ? undefined : name}
          onClick={() => {
            if (busy) return;
            if (props.sure) setAsking(true);
            else void run(props.request);
          }}
        >
          {props.label}
        </button>
        <button
          type="button"
          class={`curl-button ${props.small ? "small" : ""}`}
          aria-label={t.curlOf(name)}
          aria-expanded={shown}
          aria-controls={curlOf}
          onClick={() => setShown(!shown)}
        >
          curl
        </button>
      </span>
      <div id={curlOf} hidden={!shown}>
        {shown && <Curl request={props.request} label={name} />}
      </div>
      {!asking && refusal && (
        <Problem refusal={refusal}>
          <button type="button" class="small" onClick={forget}>
            {t.close}
          </button>
        </Problem>
      )}
      {asking && props.sure && (
        <Dialog title={name} close={() => setAsking(false)}>
          <p>{props.sure}</p>
          <Curl request={props.request} label={name} />
          {refusal && <Problem refusal={refusal} />}
          <div class="buttons">
            <button type="button" onClick={() => setAsking(false)}>
              {t.cancel}
            </button>
            <button
              type="button"
              class={props.tone ?? "primary"}
              aria-busy={busy}
              onClick={async () => {
                if (await run(props.request)) setAsking(false);
              }}
            >
              {props.label}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** The same with fields to fill in. `request` is what the fields make; null where they are not complete. */
export function FormAction<T = unknown>(props: {
  label: string;
  of: string;
  note: string;
  request: Request | null;
  example: Request;
  submit: string;
  done(answer: T): string;
  then?(answer: T): void;
  opened?(): void;
  children: ComponentChildren;
}) {
  const { t } = useConsole();
  const { busy, refusal, run, forget } = useDoing(props);
  const [open, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    forget();
  };
  return (
    <div class="action">
      <button
        type="button"
        onClick={() => {
          props.opened?.();
          setOpen(true);
        }}
      >
        {props.label}
      </button>
      {open && (
        <Dialog title={`${props.label}: ${props.of}`} close={close}>
          <form
            onSubmit={async (event) => {
              event.preventDefault();
              if (props.request && (await run(props.request))) close();
            }}
          >
            <p class="faint">{props.note}</p>
            {props.children}
            <Curl request={props.request ?? props.example} label={props.label} />
            {refusal && <Problem refusal={refusal} />}
            <div class="buttons">
              <button type="button" onClick={close}>
                {t.cancel}
              </button>
              <button type="submit" class="primary" aria-busy={busy}>
                {props.submit}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </div>
  );
}
