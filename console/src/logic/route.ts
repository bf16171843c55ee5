// Where one is: `#sessions?find=testuser&as=username`. A reload, a bookmark and the back button lead there.

export const VIEWS = ["tokens", "sessions", "portal", "health"] as const;
export type View = (typeof VIEWS)[number];

export interface Place {
  view: View;
  with: Record<string, string>;
}

export function placeOf(hash: string): Place {
  const [name = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const view = VIEWS.find((view) => view === name) ?? "tokens";
  return { view, with: Object.fromEntries(new URLSearchParams(search)) };
}

export function hashOf({ view, with: values }: Place): string {
  const search = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "")).toString();
  return search ? `#${view}?${search}` : `#${view}`;
}
