"use strict";
// The page is complete without this. It adds times that count, the choice of colours, and news.
(() => {
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(root.lang);
  let ahead = 0; // by how much the server's clock is ahead of ours, in milliseconds
  const now = () => Date.now() + ahead;

  const theme = {
    names: ["auto", "light", "dark"],
    get: () => root.dataset.theme || "auto",
    set(name) {
      if (name === "auto") delete root.dataset.theme;
      else if (theme.names.includes(name)) root.dataset.theme = name;
    },
    stored: (name) => {
      try { return name ? localStorage.setItem("theme", name) : localStorage.getItem("theme"); } catch { return null; }
    },
  };
  theme.set(theme.stored());

  function addThemeButton() {
    const button = document.createElement("button");
    const label = () => { button.textContent = `Colours: ${theme.get()}`; };
    button.addEventListener("click", () => {
      theme.set(theme.names[(theme.names.indexOf(theme.get()) + 1) % 3]);
      theme.stored(theme.get());
      label();
    });
    label();
    one("header").append(button);
  }

  function ago(at) {
    const seconds = Math.max(0, Math.round((now() - at) / 1000));
    const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, size]) => seconds >= 2 * size) || ["second", 1];
    return relative.format(-Math.floor(seconds / size), unit);
  }

  function tellTimes() {
    for (const time of document.querySelectorAll("time")) {
      const at = new Date(time.dateTime);
      time.title ||= time.textContent;
      time.textContent = "ago" in time.dataset ? ago(at) : ("short" in time.dataset ? short : local).format(at);
    }
    const zone = one("#zone");
    if (zone) zone.textContent = `Times are in your time zone, ${local.resolvedOptions().timeZone}.`;
  }

  function tellAge() {
    const main = one("main[data-stale-at]");
    if (!main || now() <= Date.parse(main.dataset.staleAt)) return;
    const verdict = one(".verdict", main);
    verdict.className = "verdict unknown";
    one("use", verdict).setAttribute("href", "#unknown");
    one(".icon", verdict).setAttribute("class", "icon unknown");
    one("#checked").textContent = "Last checked";
    say(main.dataset.staleText);
    main.removeAttribute("data-stale-at");
  }

  function say(sentence) {
    const verdict = one("#verdict");
    if (verdict.textContent === sentence) return;
    verdict.textContent = sentence;
    one("#news").textContent = sentence;
    document.title = sentence;
  }

  async function refresh() {
    const main = one("main");
    if (document.hidden || main.matches(":focus-within")) return;
    const answer = await fetch(location.href, { cache: "no-cache" });
    const served = Date.parse(answer.headers.get("date")) + 1000 * (answer.headers.get("age") || 0);
    if (!answer.ok) return;
    if (served) ahead = served - Date.now();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!one("main[data-refresh]", page)) return;
    const before = one("#verdict").textContent;
    for (const details of page.querySelectorAll("details")) {
      const shown = document.getElementById(details.id);
      if (shown) details.open = shown.open;
    }
    for (const part of ["main", "footer"]) one(part).replaceWith(one(part, page));
    for (const part of ["title", "link[rel=icon]"]) one(part).replaceWith(one(part, page));
    if (one("#verdict").textContent !== before) one("#news").textContent = one("#verdict").textContent;
    tellTimes();
  }

  document.addEventListener("DOMContentLoaded", () => {
    addThemeButton();
    tellTimes();
    const every = Number(one("main").dataset.refresh);
    // The clock is compared with the server's before the page is called out of date.
    const look = () => refresh().catch(() => undefined).then(tellAge);
    setInterval(tellTimes, 10000);
    if (!every) { tellAge(); return; }
    setInterval(look, 1000 * every);
    document.addEventListener("visibilitychange", look);
    look();
  });
})();
