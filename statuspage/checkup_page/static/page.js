"use strict";
// The page is complete without this script, which adds relative times, descriptions of bars, the choice
// of a theme, and updates. Ids, classes and data attributes do not change: an older script in an open
// tab and the owner's CSS use them.
(() => {
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => within.querySelectorAll(selector);
  const locale = navigator.languages.find((code) => code.split("-")[0] === root.lang) || root.lang;
  const format = (options) => new Intl.DateTimeFormat(locale, options);
  const full = format({ dateStyle: "medium", timeStyle: "short" });
  const short = format({ day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
  const date = format({ dateStyle: "full", timeZone: "UTC" });
  const relative = new Intl.RelativeTimeFormat(root.lang);
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [0, "second"]];
  const mirrored = root.dir === "rtl"; // time runs to the left
  const themes = ["auto", "light", "dark"];
  let ahead = 0; // milliseconds that the server's clock is ahead of this one

  const store = (key, ...value) => {
    try { return value.length ? localStorage.setItem(key, ...value) : localStorage.getItem(key); } catch { return null; }
  };
  const paint = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else if (themes.includes(theme)) root.dataset.theme = theme;
    return root.dataset.theme || "auto";
  };

  const fill = (phrase, values) => phrase.replace(/{(\w+)}/g, (_, name) => values[name]);

  // Times
  const ago = (at) => {
    const seconds = Math.max(0, Math.round((Date.now() + ahead - at) / 1000));
    const [size, unit] = units.find(([least]) => seconds >= 2 * least);
    return relative.format(-Math.floor(seconds / (size || 1)), unit);
  };
  const showTimes = () => {
    const here = store("times") !== "page";
    for (const time of all("time[datetime*=T]")) {
      const at = new Date(time.dateTime);
      const original = time.title ||= time.textContent;
      if ("ago" in time.dataset) time.textContent = ago(at);
      else time.textContent = here ? (time.className ? short : full).format(at) : original;
    }
    const zone = one("#zone");
    const own = full.resolvedOptions().timeZone;
    if (!zone || zone.dataset.zone === own) return;
    const button = one("#switch");
    zone.title ||= zone.textContent;
    zone.textContent = here ? fill(zone.dataset.local, { zone: own }) : zone.title;
    button.textContent = here ? button.dataset.there : button.dataset.here;
    button.hidden = false;
    button.onclick = () => { store("times", here ? "page" : "here"); showTimes(); };
  };

  // Bars
  const columns = 90;
  const tip = document.createElement("div");
  let strip; // the bars of the component that the tip is about
  let bar; // the index of one of them
  const barTimes = (text) => {
    const [last, steps] = text.split(" ");
    const found = [Number(last)];
    for (const [step, count] of (steps || "").split(",").map((part) => part.split("*"))) {
      for (let left = Number(count) || 0; left; left -= 1) found.unshift(found[0] - step);
    }
    return found;
  };
  const statusOf = (at) => {
    for (const path of all("path", strip)) {
      for (const [, start, length] of path.getAttribute("d").matchAll(/M(\d+) 16h(\d+)/g)) {
        if (at >= +start && at < +start + +length) return path.getAttribute("class");
      }
    }
    return "operational";
  };
  const duration = (words, length) => {
    const [hours, minutes] = [Math.floor(length / 60), length % 60];
    if (!length) return words.moment;
    return fill(hours ? (minutes ? words.both : words.hours) : words.minutes, { hours, minutes, n: minutes });
  };
  const isAffected = (at) => !["operational", "maintenance", "none"].includes(statusOf(at));
  const barDetails = () => {
    let newer = 0;
    for (let at = bar + 1; at < columns; at += 1) newer += isAffected(at);
    const details = isAffected(bar) && strip.dataset.said?.split(" ")[newer];
    if (!details) return "";
    const [, uptime, kinds] = details.match(/^([\d.]*)(.*)/);
    const words = JSON.parse(one("main").dataset.words);
    const lengths = [...kinds.matchAll(/([a-z])(\d+)/g)].map(([, kind, length]) => fill(words[kind], { length: duration(words, length) }));
    return [...(uptime ? [fill(words.uptime, { uptime })] : []), ...lengths].join(", ");
  };
  const describe = () => {
    const times = barTimes(strip.dataset.at ?? one("main").dataset.at);
    const at = new Date(1000 * times[bar - columns + times.length]);
    const daily = times.length > 1 && times[1] - times[0] === 86400;
    const word = one(`[data-look=${statusOf(bar)}]`).textContent;
    return [isNaN(at) ? "" : (daily ? date : full).format(at), word, barDetails()];
  };
  const hide = () => {
    if (!strip) return;
    tip.hidden = true;
    one("i", strip)?.remove();
    strip = undefined;
  };
  const show = (at, which) => {
    const box = at.getBoundingClientRect();
    const wide = one("svg", at).getBoundingClientRect().width / columns;
    const shown = Math.round(box.width / wide);
    which = Math.min(columns - 1, Math.max(columns - shown, which));
    if (at === strip && which === bar) return;
    hide();
    [strip, bar] = [at, which];
    const [when, word, details] = describe();
    const title = document.createElement("b");
    title.textContent = when;
    tip.replaceChildren(title, details ? `${word}: ${details}` : word);
    tip.hidden = false;
    const start = (bar - columns + shown) * wide;
    const place = mirrored ? box.right - start - wide / 2 : box.left + start + wide / 2;
    const left = Math.min(root.clientWidth - tip.offsetWidth - 8, Math.max(8, place - tip.offsetWidth / 2));
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${box.top + scrollY - tip.offsetHeight}px`;
    const frame = document.createElement("i");
    frame.style.insetInlineStart = `${start}px`;
    frame.style.width = `${wide}px`;
    strip.append(frame);
    at.setAttribute("aria-valuenow", bar + 1);
    at.setAttribute("aria-valuetext", [when, word, details].filter(Boolean).join(", "));
  };
  const under = (event) => {
    const box = one("svg", event.currentTarget).getBoundingClientRect();
    const beyond = mirrored ? box.right - event.clientX : event.clientX - box.left;
    show(event.currentTarget, Math.floor(columns * beyond / box.width));
  };
  const later = mirrored ? -1 : 1;
  const keys = { ArrowLeft: -later, ArrowDown: -1, ArrowRight: later, ArrowUp: 1, PageUp: 7, PageDown: -7, Home: -columns, End: columns };
  const press = (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    show(event.currentTarget, (strip ? bar : columns - 1) + (strip ? keys[event.key] : 0));
  };
  const leave = (event) => {
    // On a touch screen the pointer leaves with every tap.
    if (event.pointerType === "mouse" && event.relatedTarget !== tip && document.activeElement !== strip) hide();
  };
  const enableBars = () => {
    for (const found of all(".strip")) {
      const state = { role: "slider", tabindex: 0, "aria-valuemin": 1, "aria-valuemax": columns, "aria-valuenow": columns };
      for (const [name, value] of Object.entries(state)) found.setAttribute(name, value);
      found.addEventListener("pointermove", under);
      found.addEventListener("pointerdown", under);
      found.addEventListener("pointerleave", leave);
      found.addEventListener("keydown", press);
      found.addEventListener("focus", () => { if (found !== strip) show(found, columns - 1); });
      found.addEventListener("blur", hide);
    }
  };

  // Updates
  const isStale = () => Date.now() + ahead > Date.parse(one("main").dataset.staleAt);
  const showAge = () => {
    if (!isStale()) return;
    const main = one("main");
    one(".verdict").className = "verdict unknown";
    one(".verdict use").setAttribute("href", "#unknown");
    main.className = "old";
    one("#then").hidden = false;
    one("#checked").replaceChildren(one("#last").content);
    one("#verdict").textContent = one("#news").textContent = document.title = main.dataset.staleText;
    delete main.dataset.staleAt;
    showTimes();
  };
  const refresh = async () => {
    // Do not replace what has the keyboard focus.
    if (document.hidden || one("main :focus-visible")) return;
    const answer = await fetch(location.href, { cache: "no-cache" });
    if (!answer.ok) return;
    const served = Date.parse(answer.headers.get("date")) + 1000 * answer.headers.get("age");
    if (served) ahead = served - Date.now();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const written = one("main", page)?.dataset.written;
    if (!written || written === one("main").dataset.written) return;
    for (const details of all("main details", page)) {
      const shown = document.getElementById(details.id);
      if (shown) details.open = shown.open;
    }
    hide();
    const before = one("#verdict").textContent;
    for (const part of ["title", "link[rel=icon]", "main", "footer"]) one(part).replaceWith(one(part, page));
    const after = one("#verdict").textContent;
    if (after !== before) one("#news").textContent = after;
    showTimes();
    enableBars();
  };

  paint(store("theme"));
  document.addEventListener("DOMContentLoaded", () => {
    const button = one("#theme");
    const name = () => { button.title = button.dataset[paint()]; button.setAttribute("aria-label", button.title); };
    if (button) {
      button.addEventListener("click", () => { store("theme", paint(themes[(themes.indexOf(paint()) + 1) % 3])); name(); });
      button.hidden = false;
      name();
    }
    const menu = one(".menu");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", true);
    tip.addEventListener("pointerleave", leave);
    document.body.append(tip);
    document.addEventListener("pointerdown", (event) => {
      if (menu && !menu.contains(event.target)) menu.open = false;
      if (strip && !strip.contains(event.target) && !tip.contains(event.target)) hide();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      hide();
      if (menu?.open) { menu.open = false; one("summary", menu).focus(); }
    });
    addEventListener("resize", hide);
    enableBars();
    showTimes();
    setInterval(showTimes, 10000);
    // The page may seem stale because this clock is wrong, so ask the server first.
    const update = () => refresh().catch(() => {}).then(showAge);
    const every = Number(one("main").dataset.refresh);
    if (every) setInterval(update, 1000 * every);
    if (isStale()) update();
  });
})();
