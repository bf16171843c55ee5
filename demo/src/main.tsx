// The demo of `npm start`: what an application does with the session, in as little code as it takes.
import { SessionProvider } from "@sallyport/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { Journal, journal } from "./journal.tsx";
import { manager, storage } from "./session.ts";

const root = document.getElementById("root");
if (!root) throw new Error("There is no place for the application.");
createRoot(root).render(
  <StrictMode>
    <SessionProvider manager={manager}>
      <App storage={storage} />
      <Journal lines={journal(manager)} />
    </SessionProvider>
  </StrictMode>,
);
