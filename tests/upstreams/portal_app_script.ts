// The application's own code, as a text: the fakes run in workerd, too, where there are no files.

export const script = `// The portal as a single-page application: it needs its scripts, a cookie that they can't read, and a token in localStorage. What it
// shows it takes from the portal's plain pages, so both are one portal.
(() => {
  const BASE = "/portal/app";
  const TOKEN = "portal.app.token";
  const LOGGED_OUT = "You are either not logged in or your session has expired";
  const root = document.getElementById("app");

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };
  const show = (...children) => root.replaceChildren(...children);
  const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
  const errorsOf = (page) =>
    [...page.querySelectorAll(".validation-summary-errors li")].map((item) => item.textContent);
  const alertOf = (...texts) => texts.map((text) => element("p", { role: "alert" }, text));

  const loggedOut = () => {
    localStorage.removeItem(TOKEN);
    show(element("main", {}, element("p", {}, \`\${LOGGED_OUT}. Please use your back button.\`)));
  };

  /** A plain page of the portal; nothing, if it says that nobody is logged in. */
  async function load(path, init) {
    const answer = await fetch(path, init);
    const page = parsed(await answer.text());
    if (page.body.textContent.includes(LOGGED_OUT)) {
      loggedOut();
      return undefined;
    }
    return { page, status: answer.status };
  }

  const frame = (...children) => {
    show(
      element(
        "header",
        { "data-user": localStorage.getItem(TOKEN) },
        element("a", { href: \`\${BASE}/containers\` }, "Containers"),
        " ",
        element("a", { href: \`\${BASE}/logout\` }, "Log out"),
      ),
      element("main", {}, ...children),
    );
    watch();
  };

  /** The application looks by itself whether it is still logged in. */
  let watched;
  function watch() {
    clearInterval(watched);
    watched = setInterval(async () => {
      const answer = await fetch(\`\${BASE}/session\`);
      if (answer.status !== 204) loggedOut();
    }, 1000);
  }

  // --- the login: a name, then a password with a captcha, then perhaps a code ---

  function login() {
    const name = element("input", { name: "Username", autocomplete: "username" });
    const next = element("button", { class: "next", type: "button", onclick: () => password(name.value) }, "Next");
    show(element("main", {}, element("h1", {}, "Log in"), name, next));
  }

  function password(username, ...errors) {
    let solution = "";
    const input = element("input", { name: "Password", type: "password" });
    const submit = element("button", { type: "submit", disabled: true }, "Log in");
    window.onCaptcha = (token) => {
      solution = token;
      submit.disabled = document.body.dataset.captcha === "never";
    };
    const form = element(
      "form",
      {
        onsubmit: async (event) => {
          event.preventDefault();
          submit.disabled = true;
          await send(username, input.value, solution);
        },
      },
      ...alertOf(...errors),
      input,
      element(
        "div",
        { class: "g-recaptcha", "data-sitekey": document.body.dataset.sitekey, "data-callback": "onCaptcha" },
        element("textarea", { name: "g-recaptcha-response", style: "display:none" }),
      ),
      submit,
    );
    show(element("main", {}, element("h1", {}, \`Log in as \${username}\`), form));
  }

  async function send(username, password_, solution) {
    const begun = parsed(await (await fetch("/portal/login")).text());
    const form = new URLSearchParams(new FormData(begun.getElementById("login")));
    form.set("Username", username);
    form.set("Password", password_);
    form.set("g-recaptcha-response", solution);
    const page = parsed(await (await fetch(begun.getElementById("login").getAttribute("action"), { method: "POST", body: form })).text());
    const errors = errorsOf(page);
    if (errors.length > 0) return password(username, ...errors);
    const back = page.querySelector("form");
    if (back?.querySelector("[name=code]"))
      await fetch(back.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(back)) });
    if (username.startsWith("totp")) return code(username);
    if (username.startsWith("human")) return person(username);
    enter(username);
  }

  function code(username, ...errors) {
    const input = element("input", { name: "Code", inputmode: "numeric" });
    const verify = async () => {
      const answer = await fetch(\`\${BASE}/code\`, { method: "POST", body: new URLSearchParams({ code: input.value }) });
      if (answer.status === 204) enter(username);
      else code(username, "Invalid code");
    };
    const button = element("button", { class: "verify", type: "button", onclick: verify }, "Verify");
    show(element("main", {}, element("h1", {}, "One-time password"), ...alertOf(...errors), input, button));
  }

  function person(username) {
    const confirm = element("button", { class: "confirm", type: "button", onclick: () => enter(username) }, "I am");
    show(element("main", {}, element("p", {}, "Confirm that you are a person"), confirm));
  }

  function enter(username) {
    localStorage.setItem(TOKEN, username);
    go(\`\${BASE}/containers\`);
  }

  // --- lists ---

  async function containers() {
    let next = "/portal/containers";
    const list = element("div", { id: "list", style: "height:400px;overflow:auto" });
    const head = element("thead");
    const body = element("tbody");
    list.append(element("table", { id: "containers" }, head, body));
    const more = async () => {
      if (!next || list.hasAttribute("aria-busy")) return;
      list.setAttribute("aria-busy", "true");
      const loaded = await load(next);
      if (!loaded) return;
      const { page } = loaded;
      if (head.children.length === 0) head.append(...page.querySelectorAll("#containers thead tr"));
      body.append(...page.querySelectorAll("#containers tbody tr"));
      next = page.querySelector("a[rel=next]")?.getAttribute("href");
      list.removeAttribute("aria-busy");
    };
    list.addEventListener("scroll", () => {
      if (list.scrollTop + list.clientHeight >= list.scrollHeight - 5) more();
    });
    const first = await load("/portal/containers");
    if (!first) return;
    frame(element("h1", {}, "Containers"), list);
    await more();
  }

  async function timeline(number) {
    const loaded = await load(\`/portal/containers/\${number}\`);
    if (!loaded) return;
    const table = loaded.page.getElementById("timeline");
    frame(...(table ? [table] : alertOf("Container not found")));
  }

  // --- the stepper ---

  const CHOICES = ["TruckingCompanyId", "TerminalId", "MoveType", "TimeSlot"];

  /** A list to choose from as component libraries have them: it lies over the page while it is open. */
  function combobox(select) {
    const chosen = element("span", {}, select.selectedOptions[0]?.value ? select.selectedOptions[0].label : "…");
    const box = element("div", { role: "combobox", tabindex: "0", "data-name": select.name, style: "border:1px solid" }, chosen);
    let overlay;
    const close = () => overlay?.remove();
    box.addEventListener("click", () => {
      close();
      overlay = element("div", { role: "listbox", style: "position:fixed;left:20px;top:20px;background:#fff" });
      for (const option of [...select.options].filter(({ value }) => value !== "")) {
        const choose = () => {
          select.value = option.value;
          chosen.textContent = option.label;
          close();
        };
        overlay.append(element("div", { role: "option", onclick: choose }, option.label));
      }
      if (overlay.children.length > 0) document.body.append(overlay);
    });
    document.addEventListener("keydown", ({ key }) => key === "Escape" && close());
    return box;
  }

  async function appointment(page) {
    const loaded = page ? { page } : await load("/portal/appointments/new");
    if (!loaded) return;
    const confirmation = loaded.page.getElementById("confirmation");
    if (confirmation) return frame(confirmation);
    const form = loaded.page.getElementById("appointment");
    if (!form) return frame(...alertOf(loaded.page.querySelector("h1")?.textContent ?? "Error"));
    const phase = form.dataset.phase;
    const section = element("section", { "data-phase": phase });
    const copy = document.importNode(form, true);
    for (const name of CHOICES) {
      const select = copy.querySelector(\`select[name=\${name}]\`);
      if (!select) continue;
      select.style.display = "none";
      section.append(element("label", {}, name), combobox(select));
    }
    copy.querySelector("button")?.remove();
    const send = async () => {
      button.disabled = true;
      const body = new URLSearchParams(new FormData(copy));
      const answer = await load(form.getAttribute("action"), { method: "POST", body });
      if (answer) await appointment(answer.page);
    };
    const button = element(
      "button",
      { class: phase === "3" ? "book" : "next", type: "button", onclick: send },
      phase === "3" ? "Book" : "Next",
    );
    section.append(copy, button);
    frame(element("h1", {}, \`Step \${phase} of 3\`), ...alertOf(...errorsOf(loaded.page)), section);
  }

  async function logout() {
    localStorage.removeItem(TOKEN);
    await fetch("/portal/logout");
    show(element("main", {}, element("p", {}, "You are now logged out")));
  }

  function go(path) {
    history.pushState({}, "", path);
    return route();
  }

  function route() {
    const path = location.pathname.slice(BASE.length) || "/";
    if (path === "/login") return login();
    if (path === "/logout") return logout();
    if (!localStorage.getItem(TOKEN)) return loggedOut();
    if (path === "/appointments/new") return appointment();
    const [, number] = /^\\/containers\\/([^/]+)$/.exec(path) ?? [];
    return number ? timeline(number) : containers();
  }

  route();
})();
`;
