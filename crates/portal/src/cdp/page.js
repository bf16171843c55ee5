// Runs in a world of its own beside a page's scripts: it sees the page's elements, and none of its variables. One object, by which
// the driver asks; each answer is JSON.
globalThis.sallyport ??= (() => {
  const find = (css) => document.querySelector(css);
  const isVisible = (element) => {
    if (!element?.isConnected) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === "visible";
  };
  const visible = (css) => [...document.querySelectorAll(css)].find(isVisible);
  const words = (text) => text.replace(/\s+/g, " ").trim();
  const textOf = (element) => words(element?.innerText ?? element?.textContent ?? "");
  const isEnabled = (element) => !element.disabled && element.getAttribute("aria-disabled") !== "true";

  const holds = (condition) => {
    if (condition.all && !condition.all.every(holds)) return false;
    if (condition.any && !condition.any.some(holds)) return false;
    if (condition.selector && !visible(condition.selector)) return false;
    if (condition.gone && visible(condition.gone)) return false;
    if (condition.path && location.pathname !== condition.path) return false;
    if (condition.text) {
      const shown = textOf(document.body).toLowerCase();
      if (!condition.text.some((text) => shown.includes(text.toLowerCase()))) return false;
    }
    return true;
  };

  /** Resolves with what `look` finds as soon as it finds something; with nothing after so many milliseconds. */
  const until = (look, milliseconds) =>
    new Promise((resolve) => {
      let observer, timer, frame;
      const end = (found) => {
        observer?.disconnect();
        clearTimeout(timer);
        clearInterval(frame);
        resolve(found);
      };
      const check = () => {
        const found = look();
        if (found) end(found);
      };
      observer = new MutationObserver(check);
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      // Styles and sizes change without a mutation, at the end of a transition for one.
      frame = setInterval(check, 200);
      timer = setTimeout(() => end(null), milliseconds);
      check();
    });

  /** Where to click it: its middle, once it can be clicked. */
  const point = (css, milliseconds) =>
    until(() => {
      const element = visible(css);
      if (!element || !isEnabled(element)) return null;
      element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      const box = element.getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      const on = document.elementFromPoint(x, y);
      return on && (element.contains(on) || on.contains(element)) ? { x, y } : null;
    }, milliseconds);

  /** What people read in a cell: where a line ends, a word does too. */
  const cellText = (cell) => {
    if (!cell.querySelector("br")) return words(cell.textContent);
    const copy = cell.cloneNode(true);
    for (const end of copy.querySelectorAll("br")) end.replaceWith(" ");
    return words(copy.textContent);
  };

  const table = (css) => {
    const element = find(css);
    if (!element) return null;
    const rows = [...element.querySelectorAll("tr")];
    const cells = (row) => [...row.children].map(cellText);
    const head = rows.find((row) => row.querySelector("th"));
    return {
      columns: head ? cells(head) : [],
      rows: rows.filter((row) => row !== head && row.querySelector("td")).map(cells),
    };
  };

  const options = () => [...document.querySelectorAll("[role=listbox] [role=option]")].filter(isVisible);

  return {
    holds,
    wait: (condition, milliseconds) => until(() => holds(condition), milliseconds).then(Boolean),
    point,
    text: (css) => (css ? textOf(find(css)) : textOf(document.body)),
    html: () => document.documentElement.outerHTML,
    title: () => document.title,
    attribute: (css, name) => find(css)?.getAttribute(name) ?? null,
    table,
    list: (css) => [...document.querySelectorAll(css)].filter(isVisible).map(textOf),
    definitions: (css) => {
      const element = find(css);
      if (!element) return null;
      return [...element.querySelectorAll("dt")].map((term) => {
        const definition = term.nextElementSibling;
        return [textOf(term), definition?.tagName === "DD" ? textOf(definition) : ""];
      });
    },
    /** Puts the cursor in, with what stands there selected. */
    focus: (css, milliseconds) =>
      until(() => {
        const element = visible(css);
        if (!element || !isEnabled(element) || element.readOnly) return null;
        element.scrollIntoView({ block: "center", behavior: "instant" });
        element.focus();
        element.select?.();
        return document.activeElement === element || null;
      }, milliseconds).then(Boolean),
    kind: (css) => {
      const element = visible(css);
      if (!element) return null;
      if (element.tagName === "SELECT") return "select";
      return element.getAttribute("role") === "combobox" ? "combobox" : "other";
    },
    /** Of a `<select>`: its labels; and whether one of them was chosen. */
    select: (css, label) => {
      const element = visible(css);
      const offered = [...element.options].filter((option) => option.value !== "" && !option.disabled);
      const chosen = offered.find((option) => words(option.label) === label);
      if (chosen) {
        element.value = chosen.value;
        for (const event of ["input", "change"]) element.dispatchEvent(new Event(event, { bubbles: true }));
      }
      return { chosen: Boolean(chosen), offered: offered.map((option) => words(option.label)) };
    },
    /** Of the list that a combobox has opened. */
    offered: (milliseconds) =>
      until(() => (options().length > 0 ? options().map(textOf) : null), milliseconds),
    optionPoint: (label) => {
      const option = options().find((element) => textOf(element) === label);
      if (!option) return null;
      option.scrollIntoView({ block: "nearest", behavior: "instant" });
      const box = option.getBoundingClientRect();
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    },
    listClosed: (milliseconds) => until(() => options().length === 0, milliseconds).then(Boolean),
    isTicked: (css) => {
      const element = find(css);
      return element ? element.checked === true || element.getAttribute("aria-checked") === "true" : null;
    },
    /** Scrolls to the end. Resolves once there are more rows, or it is known that there are none. */
    scroll: (css, rows, busy, milliseconds) => {
      const element = css ? find(css) : document.scrollingElement;
      if (!element) return null;
      const known = new Set([...document.querySelectorAll(rows)].map((row) => row.textContent));
      const grew = () => [...document.querySelectorAll(rows)].some((row) => !known.has(row.textContent));
      const isBusy = () => Boolean(busy && visible(busy));
      element.scrollTop = element.scrollHeight;
      let quiet = 0;
      return until(() => {
        // What is gone has no end: the page shows something else now.
        if (!element.isConnected) return "gone";
        if (grew() && !isBusy()) return "more";
        const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 1;
        quiet = atEnd && !isBusy() ? quiet + 1 : 0;
        // Whoever listens to scrolling has had two turns to say that it loads.
        return quiet > 2 ? "end" : null;
      }, milliseconds);
    },
    storage: () => {
      const all = (storage) => Object.keys(storage).map((name) => ({ name, value: storage.getItem(name) }));
      try {
        return {
          origin: location.origin,
          localStorage: all(localStorage),
          sessionStorage: all(sessionStorage),
        };
      } catch {
        return null; // A page without an origin has none.
      }
    },
  };
})();
