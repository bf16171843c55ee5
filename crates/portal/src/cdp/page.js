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

  const FRAMES = ["iframe", "frame", "object", "embed", "fencedframe"];
  const PASSWORD = /passw|passcode|pwd/i;

  const isSecret = (element, password) => {
    if (typeof element.value === "string" && element.value.includes(password)) return true;
    if (element.localName !== "input") return false;
    if (element.type === "password" || PASSWORD.test(`${element.name} ${element.id}`)) return true;
    return /password|one-time-code/.test(element.autocomplete);
  };

  /**
   * What there is against a picture of this page: nothing at all (`null`) where it has a password on it or an input for one, seen or
   * not. Else how many frames there are, and where those lie that cannot be looked into.
   */
  const look = (password) => {
    let frames = 0;
    const closed = new Set();
    const isClear = (root, frame) => {
      if ((root.documentElement ?? root).textContent.includes(password)) return false;
      for (const element of root.querySelectorAll("*")) {
        if (isSecret(element, password)) return false;
        if (element.shadowRoot && !isClear(element.shadowRoot, frame)) return false;
        if (!FRAMES.includes(element.localName)) continue;
        if (element.localName === "iframe") frames += 1;
        const outer = frame ?? element;
        if (!element.contentDocument) closed.add(outer);
        else if (!isClear(element.contentDocument, outer)) return false;
      }
      return true;
    };
    if (!isClear(document)) return null;
    const covered = [...closed].map((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return [left, top, width, height].map(Math.round);
    });
    return { frames, covered };
  };

  const BAND = 44;

  /** A picture of this page with lines above it. Nothing, if the page is not any more what it was. */
  const stamp = async (picture, lines, password, covered) => {
    const now = look(password);
    if (!now || JSON.stringify(now.covered) !== JSON.stringify(covered)) return null;
    const shot = Uint8Array.from(atob(picture), (char) => char.charCodeAt(0));
    const image = await createImageBitmap(new Blob([shot], { type: "image/jpeg" }));
    const scale = Math.min(1, 1280 / image.width, 1600 / image.height);
    const [width, height] = [image.width, image.height].map((side) => Math.round(side * scale));
    const canvas = new OffscreenCanvas(width, height + BAND);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, BAND, width, height);
    // Of a frame of somebody else's nobody knows what it shows.
    const perPixel = width / innerWidth;
    context.fillStyle = "#777";
    for (const [x, y, w, h] of covered)
      context.fillRect(x * perPixel, BAND + y * perPixel, w * perPixel, h * perPixel);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, BAND);
    context.fillStyle = "#fff";
    context.font = "14px monospace";
    lines.forEach((line, at) => context.fillText(line, 8, 18 + 18 * at, width - 16));
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.7 });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192)
      text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
  };

  const options = () => [...document.querySelectorAll("[role=listbox] [role=option]")].filter(isVisible);

  return {
    holds,
    wait: (condition, milliseconds) => until(() => holds(condition), milliseconds).then(Boolean),
    point,
    look,
    stamp,
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
