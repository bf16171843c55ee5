// What every view needs of the console.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Connection, Refusal, Request } from "../api/call.ts";
import type { Place } from "../logic/route.ts";
import type { Lang, Texts } from "../texts/index.ts";

export interface Console {
  conn: Connection;
  /** The admin's name, or null with a service key. */
  name: string | null;
  sessionId: string | null;
  t: Texts;
  lang: Lang;
  place: Place;
  go(place: Place): void;
  /** Tells a person, by the live region too. */
  say(text: string): void;
  /** Does what a person asked for. Where that needs a recent login, asks for the password and repeats it. */
  act<T>(request: Request): Promise<T>;
  /** The credentials are no longer good. */
  lost(refusal: Refusal): void;
}

export const Context = createContext<Console | null>(null);

export function useConsole(): Console {
  const console = useContext(Context);
  if (console === null) throw new Error("outside of the console");
  return console;
}
