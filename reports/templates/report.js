"use strict";
// All of this only adds: without it the page says the same, in tables and titles.
(() => {
  const every = (query, within = document) => [...within.querySelectorAll(query)];
  const language = document.documentElement.lang || "en";

  // The tab of the view that is shown says so to screen readers too.
  const tell = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const view = (target && target.closest(".view")) || document.querySelector(".view");
    every(".tabs a").forEach(tab => {
      if (view && tab.getAttribute("href") === "#" + view.id) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    });
    if (target && target.classList.contains("view")) scrollTo(0, 0);
  };
  addEventListener("hashchange", tell);
  tell();

  // Tables: a click on a column's head sorts by it, another the other way round.
  const worth = cell => {
    const given = cell && cell.dataset.v;
    return given === undefined ? (cell ? cell.textContent.trim() : "") : Number(given);
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, language, {numeric: true});
  };
  every("table.sortable").forEach(table => {
    const body = table.tBodies[0];
    if (!body || body.rows.length < 3) return;
    every("thead th:not(.plain)", table).forEach(head => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending" || (!head.hasAttribute("aria-sort") && head.cellIndex === 0);
        every("th", table.tHead).forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        [...body.rows].map(row => [worth(row.cells[head.cellIndex]), row]).sort((a, b) => {
          if (typeof a[0] !== typeof b[0]) return compare(a[0], b[0]);
          return up ? compare(a[0], b[0]) : compare(b[0], a[0]);
        }).forEach(pair => body.append(pair[1]));
      });
    });
  });

  // Charts: a pointer, a finger or the arrow keys ask for a day's values.
  const percent = new Intl.NumberFormat(language, {style: "percent", maximumFractionDigits: 1, minimumFractionDigits: 1});
  const points = new Intl.NumberFormat(language, {maximumFractionDigits: 1, signDisplay: "exceptZero"});
  const number = digits => new Intl.NumberFormat(language, {maximumFractionDigits: digits});
  const dayText = new Intl.DateTimeFormat(language, {weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC"});
  const written = (value, kind, unit) => ({
    share: () => percent.format(value),
    change: () => points.format(value * 100) + (language.startsWith("zh") ? " \u767e\u5206\u70b9" : " pp"),
    count: () => number(0).format(value),
    milliseconds: () => number(0).format(value) + " ms",
    amount: () => (number(Math.abs(value) < 100 ? 2 : 0).format(value) + " " + unit).trim(),
  }[kind] || (() => number(3).format(value)))();

  let tip;
  const box = () => {
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "tip";
      tip.setAttribute("role", "status");
      document.body.append(tip);
    }
    return tip;
  };
  const ready = picture => {
    if (picture.days) return picture.days;
    const data = picture.dataset;
    picture.names = data.s.split("|");
    picture.days = data.v.split("|").map(one => one.split(",").map(text => text === "" ? null : Number(text)));
    return picture.days;
  };
  const show = (picture, place) => {
    const series = ready(picture);
    const last = series[0].length - 1;
    place = Math.max(0, Math.min(last, place));
    picture.place = place;
    const data = picture.dataset;
    const [from, to] = data.x.split(" ").map(Number);
    const wide = data.k === "change" ? (to - from) / (last + 1) : (to - from) / Math.max(last, 1);
    const x = from + wide * (place + (data.k === "change" ? 0.5 : 0));
    const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
    let rod = picture.querySelector(".rod");
    if (!rod) {
      rod = document.createElementNS("http://www.w3.org/2000/svg", "path");
      rod.setAttribute("class", "rod");
      picture.append(rod);
    }
    rod.setAttribute("d", data.k === "change" ? `M${x} 0V${height}` : `M${x} 18V${height - 24}`);
    const said = series.map((values, row) => values[place] === null ? "" :
    picture.names[row] + " " + written(values[place], picture.names[row] === "n" ? "count" : data.k, data.u)).filter(Boolean);
    const card = box();
    card.hidden = false;
    card.textContent = dayText.format((Number(data.f) + place) * 864e5) + "\n" + (said.join("\n") || "–");
    const edges = picture.getBoundingClientRect();
    const left = edges.left + edges.width * x / width;
    card.style.left = Math.max(4, Math.min(innerWidth - card.offsetWidth - 4, left + 12)) + "px";
    card.style.top = Math.max(4, edges.top - card.offsetHeight - 4) + "px";
  };
  const hide = picture => {
    const rod = picture.querySelector(".rod");
    if (rod) rod.remove();
    if (tip) tip.hidden = true;
  };
  every("svg[data-v]").forEach(picture => {
    const at = event => {
      const edges = picture.getBoundingClientRect();
      const width = Number(picture.getAttribute("viewBox").split(" ")[2]);
      const [from, to] = picture.dataset.x.split(" ").map(Number);
      const n = ready(picture)[0].length;
      const part = ((event.clientX - edges.left) / edges.width * width - from) / (to - from);
      show(picture, picture.dataset.k === "change" ? Math.floor(part * n) : Math.round(part * (n - 1)));
    };
    picture.setAttribute("tabindex", "0");
    picture.addEventListener("pointermove", at);
    picture.addEventListener("pointerdown", at);
    picture.addEventListener("pointerleave", () => hide(picture));
    picture.addEventListener("blur", () => hide(picture));
    picture.addEventListener("focus", () => { if (picture.matches(":focus-visible")) show(picture, 1e6); });
    picture.addEventListener("keydown", event => {
      const step = {ArrowLeft: -1, ArrowRight: 1, Home: -1e6, End: 1e6}[event.key];
      if (step) {
        show(picture, (picture.place ?? 0) + step);
        event.preventDefault();
      } else if (event.key === "Escape") hide(picture);
    });
  });

  // On paper everything is open but the tables under charts. Who paints the page asks how tall it is.
  addEventListener("beforeprint", () => every("details").forEach(one => { one.open = !one.closest(".figure"); }));
  document.documentElement.dataset.tall = document.documentElement.scrollHeight;
})();
