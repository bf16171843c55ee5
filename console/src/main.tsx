import { render } from "preact";
import { App, firstTexts } from "./app.tsx";

const root = document.getElementById("app");
if (root) render(<App shown={await firstTexts()} />, root);
