// The views, by the pattern of ARIA: one of them is in the order of Tab, the arrows go between them.
import { useRef } from "preact/hooks";
import { VIEWS, type View, placeOf } from "../logic/route.ts";
import { useConsole } from "./context.ts";

const STEP: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };

export function Tabs() {
  const { t, place, go } = useConsole();
  const list = useRef<HTMLDivElement>(null);
  const pick = (view: View) => {
    go({ view, with: {} });
    list.current?.querySelector<HTMLElement>(`#tab-${view}`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Not `place`, which follows it: keys may be faster.
    const at = VIEWS.indexOf(placeOf(location.hash).view);
    const step = STEP[event.key];
    const to =
      event.key === "Home" ? 0 : event.key === "End" ? VIEWS.length - 1 : step ? at + step : undefined;
    const view = to === undefined ? undefined : VIEWS.at(to % VIEWS.length);
    if (!view) return;
    event.preventDefault();
    pick(view);
  };
  return (
    <div class="tabs" role="tablist" aria-label={t.title} ref={list} onKeyDown={onKeyDown}>
      {VIEWS.map((view) => (
        <button
          key={view}
          type="button"
          role="tab"
          id={`tab-${view}`}
          aria-selected={view === place.view}
          aria-controls="view"
          tabIndex={view === place.view ? 0 : -1}
          onClick={() => pick(view)}
        >
          {t.views[view]}
        </button>
      ))}
    </div>
  );
}
