// The portal as a single-page application: one page for all addresses, and the script that draws them.
import { SITE_KEY } from "./portal_pages.ts";

/** What the page is told of the switches. */
export interface PageSettings {
  submit: "by_captcha" | "never";
  loading: "ends" | "never";
  list: "works" | "hangs";
  page_seconds: number;
  to_login: boolean;
}

export const spaPage = (settings: PageSettings): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>eModal</title>
<link rel="icon" href="data:,">
<style>
body { font: 14px/1.5 sans-serif; margin: 0; }
header { background: #123; color: #fff; padding: 12px 24px; display: flex; gap: 24px; }
header a { color: #fff; }
main { padding: 12px 24px; }
#list { height: 420px; overflow: auto; border: 1px solid #ccc; }
table { border-collapse: collapse; }
td, th { padding: 4px 8px; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap; }
label, .field { display: block; margin: 10px 0; }
[role=combobox] { border: 1px solid #888; padding: 6px; width: 320px; min-height: 21px; cursor: pointer; }
.overlay { position: fixed; inset: 0; }
[role=listbox] { position: absolute; background: #fff; border: 1px solid #888; width: 334px; }
[role=option] { padding: 6px; cursor: pointer; }
[role=option]:hover { background: #eef; }
[role=alert] { color: #a00; }
</style>
</head>
<body>
<div id="app"></div>
<script>window.settings = ${JSON.stringify({ ...settings, site_key: SITE_KEY })};</script>
<script src="/spa/app.js"></script>
</body>
</html>
`;

/** Plain: it is sent as it stands. */
export const SPA_SCRIPT = String.raw`"use strict";
(function () {
  var settings = window.settings;
  var app = document.getElementById("app");
  var EXPIRED = "You are either not logged in or your session has expired. Please use your back button and log in again.";
  var TOKEN = "spa.token";
  /** Counts the views, so that an answer that comes late draws nothing. */
  var view = 0;

  function el(name, attributes, children) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) {
      if (key.slice(0, 2) === "on") made.addEventListener(key.slice(2), attributes[key]);
      else if (attributes[key] !== undefined) made.setAttribute(key, attributes[key]);
    });
    (children || []).forEach(function (child) {
      made.append(child);
    });
    return made;
  }

  /** Rejects with the status once the page has said what is to be said of it. */
  function api(method, path, json) {
    var asked = view;
    var headers = { "x-token": localStorage.getItem(TOKEN) || "" };
    if (json) headers["content-type"] = "application/json";
    return fetch("/spa/api/" + path, { method: method, headers: headers, body: json ? JSON.stringify(json) : undefined })
      .then(function (response) {
        return response.json().catch(function () { return {}; }).then(function (body) {
          if (asked !== view) return new Promise(function () {});
          if (response.status === 401 && !/^(login|code|confirm)$/.test(path)) { expired(); throw 401; }
          if (response.status >= 500 || response.status === 403) { say(["Something went wrong (" + response.status + ")"]); throw response.status; }
          return { status: response.status, body: body };
        });
      });
  }

  function show(children, user) {
    app.replaceChildren.apply(app, user ? [header(user), el("main", {}, children)] : [el("main", {}, children)]);
  }

  function say(errors) {
    var here = document.querySelector("section, form, main") || app;
    document.querySelectorAll("[role=alert]").forEach(function (old) { old.remove(); });
    errors.forEach(function (error) { here.prepend(el("p", { role: "alert" }, [error])); });
  }

  function header(user) {
    return el("header", { "data-user": user }, [
      el("b", {}, ["eModal"]), link("/spa/containers", "Containers"), link("/spa/appointments/new", "Appointments"),
      link("/spa/logout", "Log out"), el("span", {}, [user]),
    ]);
  }

  function link(path, text) {
    return el("a", { href: path, onclick: function (event) { event.preventDefault(); to(path); } }, [text]);
  }

  function to(path) {
    history.pushState(null, "", path);
    route();
  }

  function expired() {
    view += 1;
    localStorage.removeItem(TOKEN);
    if (settings.to_login) return to("/spa/login");
    show([el("h1", {}, ["Session expired"]), el("p", {}, [EXPIRED])]);
  }

  /** Draws a page of those who are logged in. */
  function within(draw) {
    if (!localStorage.getItem(TOKEN)) return expired();
    api("GET", "me").then(function (answer) {
      if (settings.page_seconds > 0) setTimeout(expired, settings.page_seconds * 1000);
      draw(answer.body.user);
    }).catch(function () {});
  }

  function login() {
    var username = el("input", { name: "Username", autocomplete: "username" });
    var form = el("form", { onsubmit: function (event) { event.preventDefault(); second(username.value); } }, [
      el("label", {}, ["Username ", username]), el("button", { class: "next", type: "submit" }, ["Next"]),
    ]);
    show([el("h1", {}, ["Log in"]), form]);
  }

  function second(username) {
    var password = el("input", { name: "Password", type: "password" });
    var solution = el("textarea", { name: "g-recaptcha-response", hidden: "" });
    var button = el("button", { type: "submit", disabled: "" }, ["Log in"]);
    window.onCaptcha = function (token) {
      if (token && settings.submit === "by_captcha") button.disabled = false;
    };
    var form = el("form", { onsubmit: function (event) {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      api("POST", "login", { username: username, password: password.value, captcha: solution.value }).then(function (answer) {
        next(answer);
      }).catch(function () {});
    } }, [
      el("label", {}, ["Password ", password]),
      el("div", { class: "g-recaptcha", "data-sitekey": settings.site_key, "data-callback": "onCaptcha" }, ["I am not a robot", solution]),
      button,
    ]);
    show([el("h1", {}, ["Log in as ", username]), form]);
  }

  /** In, or one thing more. */
  function next(answer) {
    var body = answer.body;
    if (body.error) return say([body.error]);
    if (body.next === "code") return third(body.ticket);
    if (body.next === "person") return person(body.ticket);
    localStorage.setItem(TOKEN, body.token);
    to("/spa/containers");
  }

  function third(ticket) {
    var code = el("input", { name: "Code", autocomplete: "one-time-code", inputmode: "numeric" });
    show([el("h1", {}, ["Two-step verification"]), el("form", { onsubmit: function (event) {
      event.preventDefault();
      api("POST", "code", { ticket: ticket, code: code.value }).then(next).catch(function () {});
    } }, [el("label", {}, ["Code ", code]), el("button", { class: "verify", type: "submit" }, ["Verify"])])]);
  }

  function person(ticket) {
    show([el("h1", {}, ["Confirm that you are a person"]), el("button", { class: "confirm", onclick: function () {
      api("POST", "confirm", { ticket: ticket }).then(next).catch(function () {});
    } }, ["I am"])]);
  }

  function table(id, head, rows) {
    var body = el("tbody");
    rows.forEach(function (row) { body.append(line(row)); });
    return el("table", { id: id }, [
      el("thead", {}, [el("tr", {}, head.map(function (name) { return el("th", { scope: "col" }, [name]); }))]), body,
    ]);
  }

  /** The portal's own HTML. */
  function line(row) {
    return el("tr", {}, row.map(function (cell) {
      var td = el("td");
      td.innerHTML = cell;
      return td;
    }));
  }

  function containers(user) {
    if (settings.list === "hangs") for (;;);
    var list = el("div", { id: "list", "aria-busy": "true" });
    var rows, end = 0, more = true, busy = false;
    function load() {
      if (busy || !more) return;
      busy = true;
      list.setAttribute("aria-busy", "true");
      api("GET", "containers?offset=" + end).then(function (answer) {
        if (!rows) { list.append(table("containers", answer.body.columns, [])); rows = list.querySelector("tbody"); }
        answer.body.rows.forEach(function (row) { rows.append(line(row)); });
        end = answer.body.end;
        more = answer.body.more;
        busy = false;
        if (settings.loading === "never") return;
        list.setAttribute("aria-busy", "false");
        if (!more) list.append(el("p", {}, ["No more containers"]));
      }).catch(function () {});
    }
    list.addEventListener("scroll", function () {
      if (list.scrollTop + list.clientHeight >= list.scrollHeight - 4) load();
    });
    show([el("h1", {}, ["Containers"]), list], user);
    load();
  }

  function timeline(user, number) {
    api("GET", "containers/" + number).then(function (answer) {
      show([el("h1", {}, ["Container " + decodeURIComponent(number)])], user);
      if (answer.body.error) return say([answer.body.error]);
      document.querySelector("main").append(table("timeline", answer.body.columns, answer.body.rows));
    }).catch(function () {});
  }

  /** As Material has it: the options are there only while it is open, in an overlay at the end of the page. */
  function combobox(name, label, options, chosen) {
    var box = el("div", { role: "combobox", "data-name": name, "aria-label": label, "aria-haspopup": "listbox", "aria-expanded": "false", tabindex: "0" });
    function close() {
      document.querySelectorAll(".overlay").forEach(function (old) { old.remove(); });
      box.setAttribute("aria-expanded", "false");
    }
    function open() {
      close();
      var at = box.getBoundingClientRect();
      var list = el("div", { role: "listbox", style: "left:" + at.left + "px;top:" + Math.min(at.bottom, innerHeight - 40 * options.length - 10) + "px" },
        options.map(function (option) {
          return el("div", { role: "option", onclick: function (event) {
            event.stopPropagation();
            box.textContent = option[1];
            chosen[name] = option[0];
            close();
          } }, [option[1]]);
        }));
      box.setAttribute("aria-expanded", "true");
      requestAnimationFrame(function () { document.body.append(el("div", { class: "overlay", onclick: close }, [list])); });
    }
    box.addEventListener("click", open);
    return el("div", { class: "field" }, [label, box]);
  }

  function input(name, label, fields) {
    return el("label", {}, [label + " ", el("input", { name: name, oninput: function (event) { fields[name] = event.target.value; } })]);
  }

  function wizard(user) {
    var fields = {}, id;
    function phase(number, children, button) {
      var section = el("section", { "data-phase": String(number) }, children.concat([button]));
      show([el("h1", {}, ["New appointment, step " + number + " of 3"]), section], user);
    }
    function button(step, then) {
      return el("button", { class: step === "book" ? "book" : "next", onclick: function (event) {
        event.target.disabled = true;
        api("POST", "appointments/" + step, { id: id, fields: fields }).then(function (answer) {
          event.target.disabled = false;
          if (answer.body.errors && answer.body.errors.length) return say(answer.body.errors);
          then(answer.body);
        }).catch(function () {});
      } }, [step === "book" ? "Book" : "Next"]);
    }
    function one(choices) {
      phase(1, [
        combobox("TruckingCompanyId", "Trucking company", choices.TruckingCompanyId, fields),
        combobox("TerminalId", "Terminal", choices.TerminalId, fields),
        combobox("MoveType", "Move type", choices.MoveType, fields),
        input("ContainerNumber", "Container", fields), input("BookingNumber", "Booking", fields),
      ], button("1", two));
    }
    function two() {
      var own = el("input", { type: "checkbox", name: "OwnChassis", onchange: function (event) { fields.OwnChassis = String(event.target.checked); } });
      phase(2, [
        input("TruckPlate", "Truck plate", fields), input("PinCode", "PIN code", fields), el("label", {}, [own, " My own chassis"]),
      ], button("2", three));
    }
    function three(body) {
      var none = body.slots.length === 0 ? [el("p", {}, ["No appointments available"])] : [];
      phase(3, [combobox("TimeSlot", "Time", body.slots, fields)].concat(none), button("book", done));
    }
    function done(body) {
      var list = el("dl");
      body.confirmation.forEach(function (entry) {
        list.append(el("dt", {}, [entry[0]]), el("dd", {}, [entry[1]]));
      });
      show([el("div", { id: "confirmation" }, [el("h2", {}, ["Appointment confirmed"]), list])], user);
    }
    api("POST", "appointments/new", {}).then(function (answer) {
      id = answer.body.id;
      one(answer.body.choices);
    }).catch(function () {});
  }

  function logout() {
    api("POST", "logout", {}).catch(function () {}).then(function () {
      localStorage.removeItem(TOKEN);
      to("/spa/login");
    });
  }

  function route() {
    view += 1;
    var path = location.pathname.replace(/\/$/, "");
    var container = /^\/spa\/containers\/([^/]+)$/.exec(path);
    if (path === "/spa/login") login();
    else if (path === "/spa/logout") logout();
    else if (path === "/spa/containers" || path === "/spa") within(containers);
    else if (container) within(function (user) { timeline(user, container[1]); });
    else if (path === "/spa/appointments/new") within(wizard);
    else within(function (user) { show([el("h1", {}, ["Not found"])], user); });
  }

  addEventListener("popstate", route);
  route();
})();
`;
