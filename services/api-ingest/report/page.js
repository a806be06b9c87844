// SPDX-License-Identifier: Apache-2.0
// The list of all results (drawn piece by piece, so that ten thousand do not hang the page), search and
// filters, and the news while the run goes on: by a stream where there is one, else by asking. Without this
// script the page shows the failures.
"use strict";
(() => {
  const PIECE = 200;
  const PRINTED = 5000;
  const POLL_MS = 2000; // without a stream
  const LOOK_MS = 15000; // beside one: it says nothing of totals while the log is away
  const STATUSES = ["passed", "failed", "errored", "skipped", "blocked"];
  const PARTS = [...STATUSES, "not_run"];
  const $ = (id) => document.getElementById(id);
  const page = JSON.parse($("page-data").textContent);

  const duration = (ms) => {
    const s = Math.floor(ms / 1000);
    if (ms < 1000) return `${ms} ms`;
    if (s < 60) return `${(ms / 1000).toFixed(1)} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  };

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Long names break behind a separator, and stay whole when they are copied.
  const breakable = (parent, text) => {
    for (const part of text.split(/(?<=[_./:\[-])/)) parent.append(part, element("wbr"));
    return parent;
  };

  // [status, name, where, ms, message]
  const row = ([status, name, where, ms, message]) => {
    const tr = element("tr");
    tr.append(element("td", `is-${STATUSES[status]}`, STATUSES[status]));
    const what = breakable(element("td"), name);
    if (where) what.append(breakable(element("span", "where"), where));
    if (message) what.append(element("span", "message", message));
    tr.append(what, element("td", "", duration(ms)));
    return tr;
  };

  const list = () => {
    const body = $("rows");
    if (!body) return;
    let shown = [];
    let drawn = 0;
    let status = -1;

    const draw = (count) => {
      if (count <= 0) return;
      const piece = document.createDocumentFragment();
      for (const entry of shown.slice(drawn, drawn + count)) piece.append(row(entry));
      body.append(piece);
      drawn = Math.min(drawn + count, shown.length);
      $("more").hidden = drawn >= shown.length;
      $("found").textContent = `${shown.length} of ${page.results.length} results` +
        (drawn < shown.length ? `, the first ${drawn} are drawn` : "");
    };

    const search = () => {
      const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (entry) => (status < 0 || entry[0] === status) &&
        words.every((w) => `${entry[1]} ${entry[2]} ${entry[4]}`.toLowerCase().includes(w));
      shown = page.results.filter(fits);
      drawn = 0;
      body.textContent = "";
      draw(PIECE);
    };

    let soon;
    $("search").addEventListener("input", () => {
      clearTimeout(soon);
      soon = setTimeout(search, 120);
    });
    for (const button of document.querySelectorAll("[data-status]")) {
      const its = Number(button.dataset.status);
      const count = page.results.filter((entry) => its < 0 || entry[0] === its).length;
      button.textContent += ` ${count}`;
      button.hidden = count === 0 && its >= 0;
      button.addEventListener("click", () => {
        status = its;
        for (const other of document.querySelectorAll("[data-status]"))
          other.setAttribute("aria-pressed", String(other === button));
        search();
      });
    }
    $("more").addEventListener("click", () => draw(PIECE));
    if ("IntersectionObserver" in window)
      new IntersectionObserver((seen) => {
        if (seen.some((s) => s.isIntersecting) && !$("more").hidden) draw(PIECE);
      }, { rootMargin: "400px" }).observe($("more"));
    // A piece at a time keeps a page of any length quick; paper has no scroll bar, and an end all the same.
    window.addEventListener("beforeprint", () => draw(PRINTED - drawn));
    // "#login timeout" is a search that can be handed on.
    try {
      $("search").value = decodeURIComponent(location.hash.slice(1));
    } catch {
      $("search").value = "";
    }
    search();
  };

  const showTotals = (totals) => {
    const all = PARTS.reduce((sum, part) => sum + (totals[part] || 0), 0);
    for (const part of PARTS) {
      const count = totals[part] || 0;
      const segment = $(`bar-${part}`);
      segment.hidden = count === 0;
      segment.style.flexGrow = count;
      $(`count-${part}`).textContent = count;
      $(`count-${part}`).parentElement.hidden = count === 0 && part !== "passed";
    }
    $("bar").setAttribute("aria-label", `${all} cases: ` +
      PARTS.filter((p) => totals[p]).map((p) => `${totals[p]} ${p.replace("_", " ")}`).join(", "));
  };

  const showNews = (totals) => {
    showTotals(totals);
    const newer = STATUSES.reduce((sum, s) => sum + (totals[s] || 0), 0) - page.results.length;
    $("newer").hidden = newer <= 0;
    $("newer-count").textContent = newer;
  };

  const showRun = (run) => {
    showNews(run.totals);
    const badge = $("state");
    badge.textContent = run.state.replace("_", " ");
    badge.className = `badge is-${run.state}`;
    $("reason").textContent = run.wait ? run.wait.text : run.reason_text || "";
  };

  const NO_MORE = [401, 403, 404, 410]; // the link is over, or this address needs a token to be asked
  let stream;
  let version = page.version;

  const look = async () => {
    try {
      const answer = await fetch(`${location.pathname}?format=json&results=none`);
      if (NO_MORE.includes(answer.status)) return false;
      if (!answer.ok) throw new Error(answer.statusText);
      const { run } = await answer.json();
      if (run.finished_at) {
        location.reload();
        return false;
      }
      showRun(run);
    } catch {
      $("reason").textContent = "The server does not answer just now.";
    }
    return true;
  };

  // A share link has a stream of events beside it; other addresses would need a token for theirs.
  const listen = () => {
    if (!/\/v1\/shared\/[^/]+$/.test(location.pathname) || !("EventSource" in window)) return;
    const hear = (type, act) => stream.addEventListener(type, (event) => {
      version = event.lastEventId || version;
      act(event);
    });
    stream = new EventSource(`${location.pathname}/events?after=${version}`);
    hear("run.progress", (event) => showNews(JSON.parse(event.data).data.totals));
    for (const type of ["run.queued", "run.started", "run.finished"]) hear(type, look);
  };

  const hush = () => {
    if (stream) stream.close();
    stream = undefined;
  };

  // A browser opens six connections to a server: tabs that nobody looks at must not hold them.
  const turn = () => {
    hush();
    if (document.hidden) return;
    listen();
    look();
  };

  const refresh = async () => {
    const isLive = stream && stream.readyState === EventSource.OPEN;
    if (!(await look())) {
      document.removeEventListener("visibilitychange", turn);
      hush();
      return;
    }
    setTimeout(refresh, isLive || document.hidden ? LOOK_MS : POLL_MS);
  };

  list();
  $("reload").addEventListener("click", () => location.reload());
  showTotals(page.totals);
  window.addEventListener("beforeprint", () => {
    for (const d of document.querySelectorAll("details.case")) d.open = true;
  });
  // Saved to a file it stays as it was.
  if (!page.final && location.protocol.startsWith("http")) {
    if (!document.hidden) listen();
    document.addEventListener("visibilitychange", turn);
    setTimeout(refresh, POLL_MS);
  }
})();
