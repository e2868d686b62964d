"use strict";
// The page is complete without this: it adds times that count, the choice of colours, and news.
(() => {
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const full = new Intl.DateTimeFormat(root.lang, { dateStyle: "medium", timeStyle: "short" });
  const short = new Intl.DateTimeFormat(root.lang, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(root.lang);
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [0, "second"]];
  const themes = ["auto", "light", "dark"];
  let ahead = 0; // milliseconds by which the server's clock is ahead of this one

  const store = (...theme) => {
    try { return theme.length ? localStorage.setItem("theme", ...theme) : localStorage.getItem("theme"); } catch { return null; }
  };
  const paint = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else if (themes.includes(theme)) root.dataset.theme = theme;
    return root.dataset.theme || "auto";
  };
  const ago = (at) => {
    const seconds = Math.max(0, Math.round((Date.now() + ahead - at) / 1000));
    const [size, unit] = units.find(([least]) => seconds >= 2 * least);
    return relative.format(-Math.floor(seconds / (size || 1)), unit);
  };
  const tellTimes = () => {
    for (const time of document.querySelectorAll("time")) {
      const at = new Date(time.dateTime);
      time.title ||= time.textContent;
      time.textContent = "ago" in time.dataset ? ago(at) : (time.className ? short : full).format(at);
    }
    const zone = one("#zone");
    if (zone) zone.textContent = zone.dataset.local.replace("{zone}", full.resolvedOptions().timeZone);
  };
  const old = () => Date.now() + ahead > Date.parse(one("main").dataset.staleAt);
  const tellAge = () => {
    if (!old()) return;
    const main = one("main");
    one(".verdict").className = "verdict unknown";
    one(".verdict .icon").setAttribute("class", "icon unknown");
    one(".verdict use").setAttribute("href", "#unknown");
    main.className = "old";
    one("#then").hidden = false;
    one("#checked").replaceChildren(one("#last").content);
    one("#verdict").textContent = one("#news").textContent = document.title = main.dataset.staleText;
    delete main.dataset.staleAt;
  };
  const refresh = async () => {
    // Nothing moves away under a keyboard.
    if (document.hidden || one("main").matches(":focus-within")) return;
    const answer = await fetch(location.href, { cache: "no-cache" });
    if (!answer.ok) return;
    const served = Date.parse(answer.headers.get("date")) + 1000 * answer.headers.get("age");
    if (served) ahead = served - Date.now();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const written = one("main", page)?.dataset.written;
    if (!written || written === one("main").dataset.written) return;
    for (const details of page.querySelectorAll("details")) {
      const shown = document.getElementById(details.id);
      if (shown) details.open = shown.open;
    }
    const before = one("#verdict").textContent;
    for (const part of ["title", "link[rel=icon]", "main", "footer"]) one(part).replaceWith(one(part, page));
    const after = one("#verdict").textContent;
    if (after !== before) one("#news").textContent = after;
    tellTimes();
  };

  paint(store());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.createElement("button");
    const press = (theme) => { button.textContent = `Colours: ${theme}`; store(theme); };
    button.addEventListener("click", () => press(paint(themes[(themes.indexOf(paint()) + 1) % 3])));
    button.textContent = `Colours: ${paint()}`;
    one("header").append(button);
    tellTimes();
    setInterval(tellTimes, 10000);
    // A page may look old because this clock is wrong, so the server is asked before that is said.
    const look = () => refresh().catch(() => {}).then(tellAge);
    const every = Number(one("main").dataset.refresh);
    if (every) setInterval(look, 1000 * every);
    if (old()) look();
  });
})();
