"use strict";
(() => {
  // dom.js
  var byId = (id) => (
    /** @type {HTMLElement} */
    document.getElementById(id)
  );
  function node(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) if (value !== null && value !== void 0) made.setAttribute(name, String(value));
    for (const child of children) if (child !== null && child !== void 0) made.append(child);
    return made;
  }
  function svg(tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }
  var link = (url, text) => /^https?:\/\//i.test(url || "") ? node("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : document.createTextNode(text);
  var nothing = (text) => node("div", { class: "panel" }, node("p", { class: "empty" }, text));
  var thing = (name, title, url) => {
    const words = [name, title].filter(Boolean).join(" ");
    return url ? link(url, words) : words;
  };

  // data.js
  var data = JSON.parse(document.getElementById("data")?.textContent || "null");
  var DAY = 864e5;
  var keys = Object.values(data.metrics).filter((metric) => metric.is_key);
  var unpacked = /* @__PURE__ */ new Map();
  function packed(name) {
    const found = unpacked.get(name) || unpack(name).then(JSON.parse);
    unpacked.set(name, found);
    return found;
  }
  async function unpack(name) {
    const element = document.querySelector('script[data-name="' + name + '"]');
    if (!element) return "null";
    const characters = atob(element.textContent);
    const bytes = new Uint8Array(characters.length);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = characters.charCodeAt(at);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  var library = null;
  var chartLibrary = () => library ||= startLibrary();
  async function startLibrary() {
    await new Promise((resolve) => {
      requestAnimationFrame(() => setTimeout(resolve));
    });
    document.head.append(node("script", {}, await unpack("plotly")));
  }
  function recordsOf(columns2) {
    const fields = Object.entries(columns2 || {});
    return (fields[0]?.[1] || []).map((_, at) => Object.fromEntries(fields.map(([name, values]) => [name, values[at]])));
  }

  // format.js
  var isKnown = (value) => value !== null && value !== void 0;
  var halfUp = (value) => Math.floor(value + 0.5);
  var grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  function decimal(value) {
    const tenths = halfUp(value * 10);
    if (tenths >= 100) return grouped(halfUp(value));
    return tenths % 10 ? Math.floor(tenths / 10) + "." + tenths % 10 : String(tenths / 10);
  }
  function duration(hours) {
    if (hours === null || hours === void 0) return "no data";
    const seconds = Math.floor(hours * 3600 + 0.55);
    if (seconds < 60) return seconds + " s";
    const minutes = Math.floor((seconds + 30) / 60);
    if (minutes < 60) return minutes + " min";
    if (minutes < 1440) return Math.floor(minutes / 60) + " h" + (minutes % 60 ? " " + minutes % 60 + " min" : "");
    return decimal(seconds / 86400) + " d";
  }
  var percent = (rate) => rate === null || rate === void 0 ? "no data" : decimal(rate * 100) + " %";
  function perWeek(count, days) {
    if (!isKnown(count) || !days || days <= 0) return "no data";
    const weekly = count / days * 7;
    return count && weekly < 1 ? decimal(count / days * 30) + " / month" : decimal(weekly) + " / week";
  }
  var capitalized = (text) => text[0].toUpperCase() + text.slice(1);
  var plural = (count, noun) => grouped(count) + " " + (count === 1 ? noun.replace(/ies$/, "y").replace(/s$/, "") : noun);
  var acting = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
  var plain = (text) => text.replace(acting, (each) => "\\u" + each.charCodeAt(0).toString(16).padStart(4, "0"));
  var quoted = (text) => /^[\w./@:-]+$/.test(text) ? text : "'" + plain(text).replace(/'/g, "'\\''") + "'";
  var MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  var dateParts = (iso) => [Number(iso.slice(0, 4)), Number(iso.slice(5, 7)), Number(iso.slice(8, 10))];
  function periodName(period, iso) {
    const [year, month, day] = dateParts(iso);
    if (period === "month") return MONTHS[month - 1] + " " + year;
    if (period === "quarter") return "Q" + Math.ceil(month / 3) + " " + year;
    if (period === "day") return day + " " + MONTHS[month - 1] + " " + year;
    return "Week of " + day + " " + MONTHS[month - 1] + " " + year;
  }
  function tickName(period, iso, withYear) {
    const [year, month, day] = dateParts(iso);
    const name = period === "week" || period === "day" ? day + " " + MONTHS[month - 1] : period === "month" ? MONTHS[month - 1] : "Q" + Math.ceil(month / 3);
    return withYear ? name + "<br>" + year : name;
  }
  var inPeriod = (period, iso) => period === "week" ? "week" + periodName(period, iso).slice(4) : periodName(period, iso);
  var dateName = (iso) => {
    const [year, month, day] = dateParts(iso);
    return day + " " + MONTHS[month - 1] + " " + year;
  };
  var stamp = (seconds) => new Date(seconds * 1e3).toISOString();
  var momentName = (iso) => dateName(iso) + ", " + iso.slice(11, 16);

  // selection.js
  var state = { scope: 0, window: data.first_window, period: data.first_period, table: "delivery" };
  var scopeName = (index) => data.scopes[index][0] === "all" ? "All repositories" : data.scopes[index][1];
  var windowOf = () => (
    /** @type {LookBack} */
    data.windows.find((each) => each.id === state.window)
  );
  var windowName = () => windowOf().days ? "last " + windowOf().days + " days" : "all history";
  function periodEnd(period, iso) {
    const [year, month, day] = dateParts(iso);
    if (period === "day" || period === "week") return Date.UTC(year, month - 1, day) + (period === "day" ? 1 : 7) * DAY;
    return Date.UTC(year, month - 1 + (period === "month" ? 1 : 3), 1);
  }
  var columns = null;
  function visible() {
    const starts = data.starts[state.period];
    if (!columns) return { starts: [], from: 0 };
    let from = 0;
    const days = windowOf().days;
    if (days) {
      const begin = Date.parse(data.as_of) - days * DAY;
      while (from < starts.length - 1 && periodEnd(state.period, starts[from]) <= begin) from += 1;
    }
    return { starts: starts.slice(from), from };
  }
  var column = (view, name) => (columns?.[name] || []).slice(view.from);
  function completeness(view, chart) {
    const flags = column(view, chart.table === "dora_metrics" ? "is_complete" : "flow_is_complete");
    return view.starts.map((_, at) => flags[at] !== 0);
  }
  var chartColumn = (chart) => chart.kind === "duration" ? chart.metric + "_median" : chart.metric;
  var chartText = (chart, value) => value === null || value === void 0 ? "no data" : chart.kind === "duration" ? duration(value) : chart.kind === "rate" ? percent(value) : grouped(value);
  function whyEmpty(id) {
    if ((id === "cycle_time" || id === "started_to_completed") && !data.linear) return "Linear is not connected. Set LINEAR_API_KEY to see how long its issues take.";
    if (id === "time_to_restore") return "No incident ended in this window. Incidents are issues with one of the incident_labels of veelocity.toml.";
    if (["deployment_frequency", "lead_time", "change_fail_rate", "recovery", "rework_rate"].includes(id) && !data.deployed[state.scope]) {
      return id === "deployment_frequency" ? "No production deployment is known here. Name what deploys in DEPLOYMENT_PATTERNS or in [deployments] of veelocity.toml; veelocity check shows what was found." : "There are no production deployments to measure.";
    }
    if (id === "lead_time" && data.cards[state.window].lead_time.of_commits[state.scope]) {
      return "No pull request was shipped in this window. The card shows the lead time of commits made without one.";
    }
    if (id === "recovery") return "No failed deployment recovered in this window.";
    return null;
  }
  function cardOf(key) {
    const all = data.cards[state.window][key.id];
    const card = {};
    for (const [name, values] of Object.entries(all)) card[name] = values[state.scope];
    return (
      /** @type {Card} */
      card
    );
  }
  var draw = async () => {
  };
  function drawBy(drawing) {
    draw = drawing;
  }
  var turn = 0;
  async function choose(change) {
    const mine = turn += 1;
    const isCurrent = () => mine === turn;
    Object.assign(state, change);
    document.documentElement.dataset.drawn = "no";
    byId("scope").value = String(state.scope);
    for (const [name, value] of [["window", state.window], ["period", state.period], ["numbers-tab", state.table]]) {
      for (
        const input of
        /** @type {NodeListOf<HTMLInputElement>} */
        document.getElementsByName(name)
      ) input.checked = input.value === value;
    }
    remember();
    const found = await packed("series/" + state.period + "/" + state.scope);
    if (!isCurrent()) return;
    columns = found;
    await draw(isCurrent);
  }
  function remember() {
    const [type, name] = data.scopes[state.scope];
    const text = new URLSearchParams({ scope: type === "all" ? "all" : type + ":" + name, window: state.window, period: state.period }).toString();
    try {
      history.replaceState(null, "", "#" + text);
    } catch {
    }
  }
  function recall() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const change = {};
    const scope = data.scopes.findIndex(([type, name]) => (type === "all" ? "all" : type + ":" + name) === wanted.get("scope"));
    if (scope >= 0) change.scope = scope;
    const window2 = data.windows.find((each) => each.id === wanted.get("window"));
    if (window2) change.window = window2.id;
    const period = wanted.get("period");
    if (period && period in data.starts) change.period = /** @type {Period} */
    period;
    return change;
  }

  // table.js
  var SHOWN = 20;
  var GUARDS = data.guards.map(([pattern, by]) => [new RegExp(pattern, "g"), by]);
  function csvCell(value) {
    if (value === null || value === void 0) return "";
    if (typeof value === "number") return String(value);
    const text = GUARDS.reduce((guarded, [pattern, by]) => guarded.replace(pattern, by), String(value));
    return '"' + text.replace(/"/g, '""') + '"';
  }
  function csvOf(table) {
    const lines = [table.columns.map((each) => csvCell(each.csv || each.name)).join(",")];
    for (const row of table.rows) lines.push(table.columns.map((each) => csvCell(each.value(row))).join(","));
    return "\uFEFF" + lines.join("\r\n") + "\r\n";
  }
  function download(name, text) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    node("a", { href: url, download: name + ".csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1e4);
  }
  var fileName = (...words) => ["veelocity", ...words].join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-$/, "");
  function tableOf(table) {
    const shownColumns = table.columns.filter((each) => !each.hidden);
    const first = table.first || SHOWN;
    const body = node("tbody");
    const more = node("button", { type: "button", class: "button" });
    const sorting = { by: -1, down: false };
    let all = false, typed = "";
    const heads = shownColumns.map((each, at) => node("th", { scope: "col", class: each.kind || null }, table.sorted ? sorter(each.name, () => sortBy(at)) : each.name));
    const fill = () => {
      let rows = typed && table.filter ? table.rows.filter((row) => (table.filter?.(row) || "").toLowerCase().includes(typed)) : [...table.rows];
      if (sorting.by >= 0) rows = inOrder(rows, shownColumns[sorting.by].value, sorting.down);
      body.replaceChildren(...rows.slice(0, all ? void 0 : first).map((row) => rowOf(row, shownColumns)));
      more.hidden = all || rows.length <= first;
      more.textContent = more.hidden ? "" : "Show all " + grouped(rows.length);
    };
    const sortBy = (at) => {
      sorting.down = sorting.by === at ? !sorting.down : false;
      sorting.by = at;
      heads.forEach((head, place) => place === at ? head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
      fill();
    };
    const scroll = node(
      "div",
      { class: "table-scroll", tabindex: "0", role: "region", "aria-label": table.caption },
      node("table", { class: table.wide ? "wide" : null }, node("caption", { class: "hidden" }, table.caption), node("thead", {}, node("tr", {}, ...heads)), body)
    );
    more.addEventListener("click", () => {
      all = true;
      fill();
      scroll.focus();
    });
    const save = node("button", { type: "button", class: "button csv", "aria-label": "Download " + table.caption + " as CSV" }, "Download CSV");
    save.addEventListener("click", () => download(table.file, csvOf(table)));
    const box = node("div", { class: "panel" });
    if (table.filter && table.rows.length > 5) {
      const filter = node("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter " + table.caption });
      filter.addEventListener("input", () => {
        typed = filter.value.trim().toLowerCase();
        fill();
      });
      box.append(node("div", { class: "table-head" }, filter));
    }
    box.append(cueOf(scroll), scroll, node("div", { class: "table-foot" }, more, save));
    fill();
    return box;
  }
  function cueOf(scroll) {
    const cue = node("p", { class: "cue", hidden: "" }, "Scroll sideways for more columns \u2192");
    const look = () => {
      const rest = scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft;
      cue.hidden = rest < 2;
      scroll.classList.toggle("cut", rest >= 2);
    };
    new ResizeObserver(look).observe(scroll);
    scroll.addEventListener("scroll", look, { passive: true });
    return cue;
  }
  function sorter(name, sort) {
    const button = node("button", { type: "button", class: "sort" }, name);
    button.addEventListener("click", sort);
    return button;
  }
  function inOrder(rows, value, down) {
    const known = rows.filter((row) => isKnown(value(row)));
    known.sort((left, right) => {
      const [one, other] = [value(left), value(right)];
      const order = typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
      return down ? -order : order;
    });
    return [...known, ...rows.filter((row) => !isKnown(value(row)))];
  }
  var rowOf = (row, columns2) => node("tr", {}, ...columns2.map((each, at) => {
    const known = each.value(row);
    const missing = !isKnown(known) || known === "";
    const content = missing && !each.always ? node("span", { class: "nil" }, node("span", { "aria-hidden": "true" }, "\u2013"), node("span", { class: "hidden" }, "no data")) : each.cell ? each.cell(row) : typeof known === "number" ? grouped(known) : String(known);
    return node(at ? "td" : "th", { scope: at ? null : "row", class: each.kind || null }, content);
  }));

  // rows.js
  var METRICS = { ...data.metrics, work: { title: "Work in progress", kind: "count", sample_noun: "items", part_phrase: null } };
  var asked = 0;
  var dayNumber = (time) => Math.floor(time / DAY);
  function spanOf(wanted) {
    if (wanted.window) {
      const until2 = Date.parse(data.as_of) / 1e3;
      const after = wanted.window.days ? until2 - wanted.window.days * 86400 : -Infinity;
      return { when: windowName(), holds: (rows, at) => rows.at[at] > after && rows.at[at] <= until2, from: wanted.window.days ? dayNumber(after * 1e3) : -Infinity, until: Infinity, option: wanted.window.days ? "--days " + wanted.window.days : "" };
    }
    const from = dayNumber(Date.parse(wanted.start));
    const until = dayNumber(periodEnd(wanted.period, wanted.start));
    return { when: inPeriod(wanted.period, wanted.start), holds: (rows, at) => rows.on[at] >= from && rows.on[at] < until, from, until, option: "--" + wanted.period + " " + wanted.start };
  }
  function explainCommand(metric, span) {
    const [type, name] = data.scopes[state.scope];
    return ["veelocity explain", metric, span.option, type === "all" ? "" : "--" + type + " " + quoted(name)].filter(Boolean).join(" ");
  }
  async function rowsOf(metric, span) {
    const entities = await packed("entities");
    const rows = await packed("rows/" + metric);
    if (!entities || !rows) return { since: null, found: [] };
    const chosen = entities.sets.map((scopes) => scopes.includes(state.scope));
    const found = [];
    for (let at = 0; at < rows.entity.length; at += 1) {
      if (!chosen[rows.scopes[at]]) continue;
      const ended = metric === "work" ? rows.ended[at] : null;
      const held = metric === "work" ? rows.began[at] < span.until && (ended === null || ended >= span.until) : span.holds(rows, at);
      if (!held) continue;
      const entity = rows.entity[at];
      const row = { position: at, value: 0, entity, name: entities.name[entity], title: entities.title[entity], place: entities.place[entity], url: entities.url[entity], at: rows.at[at], reason: null };
      if (metric === "work") {
        row.value = (Math.min(Date.parse(data.as_of) / 1e3, span.until * 86400) - rows.at[at]) / 3600;
        row.stage = ended === null ? rows.stage[at] : "ended since";
      } else {
        row.value = rows.value[at];
        const reason = rows.reason[at];
        row.reason = reason === null ? null : entities.reasons[reason];
      }
      found.push(row);
    }
    return { since: rows.since ? dayNumber(Date.parse(rows.since)) : null, found };
  }
  async function openStage(stage, published) {
    const mine = asked += 1;
    const span = spanOf({ window: windowOf() });
    const [{ since, found }, hours] = await Promise.all([rowsOf("lead_time", span), packed("rows/stages")]);
    if (mine !== asked) return;
    const rows = found.flatMap((row) => {
      const value = hours?.[stage]?.[row.position] ?? null;
      return value === null ? [] : [{ ...row, value }];
    }).sort((left, right) => right.value - left.value || right.at - left.at);
    const { title, definition } = data.metrics[stage];
    byId("rows-title").textContent = title;
    byId("rows-sub").textContent = scopeName(state.scope) + ", changes deployed in the " + span.when;
    const body = byId("rows-body");
    body.replaceChildren(node("p", { class: "fine" }, definition), node("p", { class: "summary" }, summaryOfNumbers(stage, published)));
    if (since === null || span.from < since) {
      body.append(node("p", { class: "notice note" }, since === null ? "These rows are not in this file." : "This file holds the rows since " + dateName(stamp(since * 86400)) + "."));
    }
    const columns2 = rowColumns("Deployed");
    columns2.push({ name: "Duration", csv: "Duration (hours)", value: (row) => row.value, cell: (row) => duration(row.value), kind: "num" });
    if (rows.length) body.append(tableOf({ caption: "rows of " + title, columns: columns2, rows, first: 100, file: fileName(stage, scopeName(state.scope), span.when) }));
    showDialog();
  }
  var nounOf = (metric) => METRICS[metric].sample_noun;
  function summaryOfNumbers(metric, published) {
    const { sample_noun: noun, kind, part_phrase: phrase } = METRICS[metric];
    if (!published) return null;
    if (kind === "count") return plural(published.value || 0, noun) + ".";
    if (!published.sample || !isKnown(published.value)) return "No " + noun + " with a value.";
    if (kind === "duration") return "Median " + duration(published.value) + " of " + plural(published.sample, noun) + ".";
    return grouped(published.part || 0) + " of " + plural(published.sample, noun) + " " + phrase + ".";
  }
  var evidenceList = (evidence) => node("ul", { class: "evidence" }, ...evidence.map(([kind, text, url]) => node("li", {}, node("span", { class: "tag" }, kind.replace("_", " ")), link(url, text))));
  var evidenceText = (evidence) => evidence.map(([kind, text, url]) => kind.replace("_", " ") + ": " + text + (url ? " " + url : "")).join("; ");
  var rowColumns = (when) => [
    { name: "Name", value: (row) => row.name, cell: (row) => thing(row.name, row.title, row.url) },
    { name: "Title", value: (row) => row.title, hidden: true },
    { name: "Address", value: (row) => row.url, hidden: true },
    { name: "Where", value: (row) => row.place },
    { name: when + " (UTC)", value: (row) => stamp(row.at), cell: (row) => momentName(stamp(row.at)), kind: "nowrap" }
  ];
  async function openRows(metrics, title, wanted, published) {
    const mine = asked += 1;
    const span = spanOf(wanted);
    const [failures, repairs] = await Promise.all([packed("failures"), packed("repairs")]);
    const parts = await Promise.all(metrics.map((metric) => rowsOf(metric, span)));
    if (mine !== asked) return;
    const body = byId("rows-body");
    body.replaceChildren();
    byId("rows-title").textContent = title;
    byId("rows-sub").textContent = scopeName(state.scope) + ", " + span.when;
    metrics.forEach((metric, at) => {
      const { since, found } = parts[at];
      const command = node("code", {}, explainCommand(metric, span));
      const measured = found.filter((row) => row.reason === null).sort((left, right) => right.value - left.value || right.at - left.at);
      const excluded = found.filter((row) => row.reason !== null);
      if (metrics.length > 1) body.append(node("h3", {}, METRICS[metric].title));
      if (metric !== "work" && (since === null || span.from < since)) {
        const none = since === null || span.until <= since;
        body.append(node(
          "p",
          { class: "notice note" },
          node("strong", {}, none ? "These rows are not in this file." : "Some of these rows are not in this file."),
          since === null ? " " : " It holds those since " + dateName(stamp(since * 86400)) + ". ",
          "All of them: ",
          command.cloneNode(true)
        ));
        if (none) return;
      }
      const summary = summaryOfNumbers(metric, published[metric]);
      if (summary) body.append(node("p", { class: "summary" }, summary));
      const kind = metric === "work" ? "duration" : METRICS[metric].kind;
      const columns2 = rowColumns(metric === "work" ? "Began" : kind === "count" || kind === "rate" ? "When" : "Ended");
      if (kind === "duration") columns2.push({ name: metric === "work" ? "Age" : "Duration", csv: (metric === "work" ? "Age" : "Duration") + " (hours)", value: (row) => row.value, cell: (row) => duration(row.value), kind: "num" });
      if (metric === "work") columns2.push({ name: "Stage", value: (row) => row.stage });
      if (kind === "rate") columns2.push({ name: capitalized((METRICS[metric].part_phrase || "").replace(/^were /, "")), value: (row) => row.value ? "yes" : "no" });
      const known = (
        /** @type {Record<string, any>} */
        { change_fail_rate: failures, recovery: failures, rework_rate: repairs }[metric]
      );
      if (known) {
        const evidence = new Map(known.entity.map((entity, position) => [entity, known.evidence[position]]));
        const of = (row) => row.value || metric === "recovery" ? evidence.get(row.entity) || [] : [];
        columns2.push({ name: metric === "rework_rate" ? "Fixed" : "Evidence", value: (row) => evidenceText(of(row)), cell: (row) => evidenceList(of(row)) });
      }
      if (measured.length) body.append(tableOf({ caption: "rows of " + METRICS[metric].title, columns: columns2, rows: measured, first: 100, file: fileName(metric, scopeName(state.scope), span.when) }));
      if (excluded.length) {
        const left = node("details", {}, node("summary", {}, "Excluded: " + plural(excluded.length, nounOf(metric))));
        left.append(tableOf({
          caption: "rows excluded from " + METRICS[metric].title,
          rows: excluded,
          first: 100,
          file: fileName(metric, "excluded", scopeName(state.scope), span.when),
          columns: [.../** @type {Column<FoundRow>[]} */
          rowColumns("When"), { name: "Reason", value: (row) => row.reason }]
        }));
        body.append(left);
      }
      if (metric !== "work") body.append(node("p", { class: "fine" }, "In a terminal: ", command));
    });
    showDialog();
  }
  function showDialog() {
    const dialog = dialogBox();
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }
  var dialogBox = () => (
    /** @type {HTMLDialogElement} */
    byId("rows")
  );
  byId("rows-close").addEventListener("click", () => dialogBox().close());
  byId("rows").addEventListener("click", (event) => {
    if (event.target === byId("rows")) dialogBox().close();
  });

  // cards.js
  var LOW = 4;
  function trendOf(key, card) {
    const box = node("p", { class: "trend" });
    const days = windowOf().days;
    if (!days) return box.append("No window before this one."), box;
    const before = "the " + days + " days before";
    if (card.previous_known === false) return box.append("History does not reach back over " + before + "."), box;
    if (!isKnown(card.value) || !isKnown(card.previous)) return box.append("Nothing to compare with in " + before + "."), box;
    if (key.kind !== "count" && (card.sample < data.minimum || card.previous_sample < data.minimum)) {
      return box.append("Too few " + key.sample_noun + " to compare with " + before + "."), box;
    }
    const was = key.kind === "duration" ? duration(card.previous) : key.kind === "rate" ? percent(card.previous) : perWeek(card.previous, days);
    const difference = card.value - card.previous;
    const share = card.previous ? Math.abs(difference) / card.previous : Infinity;
    if (!card.is_clear) {
      box.append(node("b", {}, "No clear change"), " from " + before + " (" + was + ")");
      return box;
    }
    const better = difference > 0 === (key.direction === "higher");
    const amount = key.kind === "rate" ? decimal(Math.abs(difference) * 100) + " points" : share === Infinity ? "" : decimal(share * 100) + " %";
    const word = key.kind === "duration" ? difference < 0 ? "faster" : "slower" : difference > 0 ? key.kind === "count" ? "more" : "higher" : key.kind === "count" ? "fewer" : "lower";
    box.append(node("b", { class: better ? "better" : "worse" }, (difference > 0 ? "\u25B2 " : "\u25BC ") + (amount ? amount + " " : "") + word), " than " + before + " (" + was + ")");
    return box;
  }
  function sparkline(chart, view) {
    const values = column(view, chartColumn(chart));
    const complete = completeness(view, chart);
    const known = values.filter((value) => value !== null && value !== void 0);
    if (!known.length) return null;
    const high = Math.max(...known) || 1;
    const x = (at) => view.starts.length > 1 ? at / (view.starts.length - 1) * 100 : 50;
    const y = (value) => 36 - value / high * 32;
    const box = node("div", { class: "spark-dots" });
    const drawing = svg("svg", { class: "spark", viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" });
    let solid = "", dashed = "";
    values.forEach((value, at) => {
      if (value === null || value === void 0) return;
      const point = x(at).toFixed(2) + " " + y(value).toFixed(2);
      const joined = at > 0 && values[at - 1] !== null && values[at - 1] !== void 0;
      if (joined && complete[at]) solid += "L" + point;
      else if (complete[at]) solid += "M" + point;
      if (joined && !complete[at]) dashed += "M" + x(at - 1).toFixed(2) + " " + y(values[at - 1] ?? 0).toFixed(2) + "L" + point;
      const alone = !joined && (values[at + 1] === null || values[at + 1] === void 0);
      if (!complete[at] || at === values.length - 1 || alone) {
        const dot = node("span", { class: "spark-dot" + (complete[at] ? at === values.length - 1 ? "" : " small" : " hollow") });
        dot.style.left = x(at) + "%";
        dot.style.top = y(value) / 40 * 100 + "%";
        box.append(dot);
      }
    });
    if (solid) drawing.append(svg("path", { d: solid }));
    if (dashed) drawing.append(svg("path", { d: dashed, class: "open" }));
    box.prepend(drawing);
    return box;
  }
  function valueParts(key, card) {
    if (card.value === null || card.value === void 0) return ["no data", ""];
    const days = windowOf().days || data.history_days[state.scope];
    const text = key.kind === "duration" ? duration(card.value) : key.kind === "rate" ? percent(card.value) : perWeek(card.value, days);
    const cut = text.indexOf(" / ");
    return cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut)];
  }
  function sentenceOf(key, card) {
    if (card.value === null || card.value === void 0) return null;
    const one = (rate) => rate > 2 / 3 ? "Most deployments" : "About 1 in " + Math.max(2, Math.round(1 / rate)) + " deployments";
    const days = Math.round(windowOf().days || data.history_days[state.scope] || 0);
    switch (key.id) {
      case "deployment_frequency":
        return card.part ? "Deployed on " + grouped(card.part) + " of " + plural(days, "days") + "." : "Nothing was deployed to production.";
      case "lead_time":
        return "Half of the changes reached production within " + duration(card.value) + " of their first commit.";
      case "change_fail_rate":
        return card.value ? one(card.value) + " failed." : "No deployment is known to have failed.";
      case "recovery":
        return "Half of the failed deployments recovered within " + duration(card.value) + ".";
      default:
        return card.value ? one(card.value) + (card.value > 2 / 3 ? " were" : " was") + " unplanned and fixed an earlier one." : "No deployment had to fix an earlier one.";
    }
  }
  function coverageOf(card) {
    if (!isKnown(card.excluded) || !card.sample) return "";
    return card.excluded ? "Coverage " + percent(card.sample / (card.sample + card.excluded)) + ", " + grouped(card.excluded) + " excluded" : "Coverage 100 %";
  }
  function sampleText(key, card) {
    if (key.kind === "count") return plural(card.sample || 0, "deployments") + (card.part ? " on " + plural(card.part, "days") : "");
    if (key.kind === "rate") return card.sample ? grouped(card.part || 0) + " of " + plural(card.sample, "deployments") : "no deployments";
    const noun = card.of_commits ? "commits" : key.sample_noun;
    return card.sample ? "median of " + plural(card.sample, noun) : "no " + noun;
  }
  var isLow = (card) => isKnown(card.score) && card.score <= LOW;
  function drawCards() {
    const view = visible();
    byId("cards").replaceChildren(...keys.map((key) => {
      const card = cardOf(key);
      const why = data.deployed[state.scope] ? null : whyEmpty(key.id);
      const [value, unit] = valueParts(key, card);
      const box = node("article", { class: "card" + (isLow(card) ? " low" : ""), id: "card-" + key.id, "aria-labelledby": "card-title-" + key.id });
      box.append(node("h3", { id: "card-title-" + key.id, title: key.definition }, key.title));
      if (why) {
        box.append(node("p", { class: "value none" }, "no data"), node("p", { class: "hint" }, why));
        return box;
      }
      box.append(node("p", { class: value === "no data" ? "value none" : "value" }, value, unit ? node("small", {}, unit) : null));
      box.append(node("p", { class: "sample" }, sampleText(key, card)), node("p", { class: "sentence" }, sentenceOf(key, card) || ""), trendOf(key, card));
      const spark = sparkline(
        /** @type {Chart} */
        data.charts.find((chart) => chart.id === key.id),
        view
      );
      box.append(spark || node("div", { class: "spark-dots" }, node("div", { class: "spark" })));
      const score = node("div", { class: "score" });
      const scored = isKnown(card.score);
      const few = key.kind !== "count" && card.sample < data.minimum;
      score.append(node(
        "div",
        { class: "score-line" },
        node("span", {}, scored ? "Score" : !windowOf().days ? "No score for all history" : !card.sample ? "No " + key.sample_noun + " to score" : few ? "Too few " + key.sample_noun + " to score" : "Not scored"),
        isKnown(card.score) ? node("span", {}, node("b", {}, decimal(card.score)), " of 10") : null
      ));
      const mean = card.mean ?? null;
      const bar = node("div", { class: "bar", role: "img", "aria-label": (isKnown(card.score) ? "Score " + decimal(card.score) + " of 10" : "No score") + (mean === null ? "" : "; mean score of all industries in 2025: " + mean) });
      const fill = node("i");
      fill.style.width = (card.score ?? 0) * 10 + "%";
      bar.append(fill);
      if (mean !== null) {
        const tick = node("u", { title: "Mean score of all industries, 2025: " + mean });
        tick.style.left = mean * 10 + "%";
        bar.append(tick);
      }
      score.append(bar, node(
        "p",
        { class: "level" },
        node("span", {}, mean === null ? "" : "Industry mean score " + mean),
        card.level ? node("span", { title: "Level as DORA's report of 2023 drew them" }, card.level[0].toUpperCase() + card.level.slice(1) + " (2023)") : null
      ));
      const rows = node("button", { type: "button", class: "plain", "aria-label": "Show the rows of " + key.title.toLowerCase() }, "Show the rows");
      const shown2 = key.id === "lead_time" && card.of_commits ? "commit_lead_time" : key.id;
      rows.addEventListener("click", () => openRows([shown2], key.title, { window: windowOf() }, { [shown2]: card }));
      box.append(score, node("p", { class: "card-foot" }, node("span", {}, coverageOf(card)), rows));
      return box;
    }));
    byId("overview-sub").textContent = scopeName(state.scope) + ", " + windowName() + (data.as_of ? " to " + dateName(data.as_of) : "");
    const totals = data.totals[state.window];
    const shown = (totals ? ["throughput", "stability", "overall"] : []).map((name) => total(capitalized(name), totals[name][state.scope]));
    const low = keys.map((key) => ({ key, card: cardOf(key) })).filter(({ card }) => isLow(card)).sort((left, right) => (left.card.score ?? 0) - (right.card.score ?? 0))[0];
    if (totals && low) shown.push(total("Lowest: " + low.key.title.toLowerCase(), low.card.score, "low"));
    byId("totals").replaceChildren(...shown);
  }
  var total = (name, score, kind) => node("div", { class: kind }, node("dt", {}, name), node("dd", {}, isKnown(score) ? decimal(score) : "\u2013", isKnown(score) ? node("small", {}, " of 10") : null));

  // figure.js
  var DURATION_STEPS = [1 / 60, 2 / 60, 5 / 60, 10 / 60, 15 / 60, 30 / 60, 1, 2, 3, 6, 12, 24, 48, 72, 120, 168, 240, 336, 480, 720, 1440, 2160, 4320, 8760];
  function durationTicks(high) {
    const step = DURATION_STEPS.find((each) => high / each <= 4.5) || Math.ceil(high / 4 / 8760) * 8760;
    const values = [];
    for (let at = 0; at * step <= high * 1.001; at += 1) values.push(at * step);
    return { values, text: values.map((value) => value ? duration(value) : "0") };
  }
  function plainTicks(high, whole, text) {
    const raw = high / 5;
    const power = Math.pow(10, Math.floor(Math.log10(raw)));
    let step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw) || 10 * power;
    if (whole) step = Math.max(1, Math.round(step));
    const values = [];
    for (let at = 0; at * step <= high * 1.001; at += 1) values.push(at * step);
    return { values, text: values.map(text) };
  }
  function colours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    return { accent: read("--accent"), second: read("--second"), ink: read("--ink"), muted: read("--muted"), line: read("--line"), panel: read("--panel"), font: read("--font") };
  }
  var soft = (hex, alpha) => "rgba(" + [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",") + "," + alpha + ")";
  function horizontalTicks(view) {
    const room = Math.max(2, Math.min(6, Math.floor((document.querySelector(".plot")?.clientWidth || 400) / 70)));
    const every = Math.ceil(view.starts.length / room) || 1;
    const values = [], text = [];
    let year = "";
    for (let at = (view.starts.length - 1) % every; at < view.starts.length; at += every) {
      values.push(view.starts[at]);
      text.push(tickName(state.period, view.starts[at], view.starts[at].slice(0, 4) !== year));
      year = view.starts[at].slice(0, 4);
    }
    return { values, text };
  }
  function hoverText(chart, view, at, complete) {
    const lines = ["<b>" + periodName(state.period, view.starts[at]) + "</b>"];
    const pick = (name) => column(view, name)[at];
    if (chart.kind === "duration") {
      lines.push("median " + duration(pick(chart.metric + "_median")));
      lines.push("p75 " + duration(pick(chart.metric + "_p75")) + " \xB7 p90 " + duration(pick(chart.metric + "_p90")));
      lines.push(plural(pick(chart.sample) || 0, chart.sample_noun));
    } else if (chart.kind === "rate") {
      lines.push(percent(pick(chart.metric)));
      lines.push(grouped(pick(chart.parts[0]) || 0) + " of " + plural(pick(chart.parts[1]) || 0, "deployments"));
    } else for (const [name, label] of chart.series) lines.push(label + ": " + grouped(pick(name) || 0));
    if (!complete) lines.push("<i>in progress</i>");
    return lines.join("<br>");
  }
  var MOST_BARS = 120;
  var PRINTED = 300;
  function figure(chart, view, printing2) {
    const tint = colours();
    const complete = completeness(view, chart);
    const x = view.starts;
    const hover = x.map((_, at) => hoverText(chart, view, at, complete[at]));
    const traces = [];
    let ticks;
    if (chart.kind === "count") {
      const series = chart.series.map(([name]) => column(view, name));
      const high = Math.max(1, ...series.flat().map((value) => value ?? 0)) * 1.08;
      const asLines = chart.id === "work_in_progress" || x.length > MOST_BARS;
      series.forEach((values, at) => {
        if (at && !values.some(Boolean)) return;
        const colour = at ? tint.second : tint.accent;
        const common = { x, y: values, name: chart.series[at][1], text: hover, hovertemplate: at ? void 0 : "%{text}<extra></extra>", hoverinfo: at ? "skip" : void 0 };
        traces.push(asLines ? { ...common, type: "scatter", mode: "lines", line: { color: colour, width: x.length > MOST_BARS ? 1.25 : 2 } } : { ...common, type: "bar", textposition: "none", marker: { color: complete.map((over) => over ? colour : soft(colour, 0.12)), line: { color: colour, width: complete.map((over) => over ? 0 : 1.5) }, cornerradius: 2 } });
      });
      ticks = { ...plainTicks(high, true, grouped), high };
    } else {
      const values = column(view, chartColumn(chart));
      const upper = chart.kind === "duration" ? column(view, chart.metric + "_p75") : [];
      const known = [...values, ...upper].map((value) => value ?? 0);
      const high = (Math.max(...known) || (chart.kind === "rate" ? 0.1 : 1)) * 1.1;
      if (upper.length) {
        const bandX = [], bandY = [];
        for (let at = 0; at < x.length; at += 1) {
          if (values[at] === null || upper[at] === null) continue;
          let end = at;
          while (end + 1 < x.length && values[end + 1] !== null && upper[end + 1] !== null) end += 1;
          if (bandX.length) {
            bandX.push(null);
            bandY.push(null);
          }
          for (let step = at; step <= end; step += 1) {
            bandX.push(x[step]);
            bandY.push(upper[step]);
          }
          for (let step = end; step >= at; step -= 1) {
            bandX.push(x[step]);
            bandY.push(values[step]);
          }
          at = end;
        }
        traces.push({ type: "scatter", mode: "none", x: bandX, y: bandY, fill: "toself", fillcolor: soft(tint.accent, 0.12), hoverinfo: "skip" });
        traces.push({ type: "scatter", mode: "lines", x, y: upper, line: { color: soft(tint.accent, 0.5), width: 1 }, hoverinfo: "skip", connectgaps: false });
      }
      const dashX = [];
      const dashY = [];
      complete.forEach((over, at) => {
        if (over || at === 0 || values[at] === null || values[at - 1] === null) return;
        dashX.push(x[at - 1], x[at], null);
        dashY.push(values[at - 1], values[at], null);
      });
      if (dashX.length) traces.push({ type: "scatter", mode: "lines", x: dashX, y: dashY, line: { color: tint.accent, width: 2, dash: "4px,3px" }, hoverinfo: "skip", connectgaps: false });
      traces.push({ type: "scatter", mode: "lines", x, y: values.map((value, at) => complete[at] ? value : null), line: { color: tint.accent, width: 2 }, hoverinfo: "skip", connectgaps: false });
      const size = x.length > 60 ? 4 : 6;
      traces.push({
        type: "scatter",
        mode: "markers",
        x,
        y: values,
        text: hover,
        hovertemplate: "%{text}<extra></extra>",
        cliponaxis: false,
        marker: { size: complete.map((over) => over ? size : 8), color: complete.map((over) => over ? tint.accent : tint.panel), opacity: 1, line: { color: tint.accent, width: complete.map((over) => over ? 0 : 2) } }
      });
      ticks = chart.kind === "duration" ? durationTicks(high) : plainTicks(high, false, percent);
      ticks.high = high;
    }
    const across = horizontalTicks(view);
    const layout = {
      margin: { l: 48, r: 26, t: 10, b: 40 },
      showlegend: false,
      autosize: !printing2,
      width: printing2 ? PRINTED : void 0,
      dragmode: false,
      hovermode: "closest",
      hoverdistance: 60,
      bargap: 0.3,
      bargroupgap: 0.08,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: tint.font, size: 12, color: tint.muted },
      hoverlabel: { bgcolor: tint.panel, bordercolor: tint.line, font: { family: tint.font, size: 12.5, color: tint.ink }, align: "left" },
      xaxis: { type: "date", tickvals: across.values, ticktext: across.text, showgrid: false, zeroline: false, ticks: "", fixedrange: true, tickangle: 0, ticklabeloverflow: "allow", range: barRange(view) },
      yaxis: { tickvals: ticks.values, ticktext: ticks.text, range: [0, ticks.high], gridcolor: tint.line, zeroline: true, zerolinecolor: tint.line, zerolinewidth: 1, fixedrange: true }
    };
    if (chart.kind === "count") layout.hovermode = "x";
    return { traces, layout };
  }
  function barRange(view) {
    if (!view.starts.length) return void 0;
    const length = periodEnd(state.period, view.starts[0]) - Date.parse(view.starts[0]);
    const iso = (time) => new Date(time).toISOString().slice(0, 19);
    return [iso(Date.parse(view.starts[0]) - length * 0.6), iso(Date.parse(view.starts[view.starts.length - 1]) + length * 0.6)];
  }
  function summaryOf(chart, view, complete) {
    const values = column(view, chartColumn(chart));
    const last = lastComplete(values, complete);
    const known = values.filter((value) => value !== null && value !== void 0).length;
    if (!known) return chart.title + ": no data in this window.";
    return chart.title + " by " + state.period + ", " + plural(view.starts.length, state.period + "s") + ". " + (last < 0 ? "" : "Last complete " + state.period + ": " + chartText(chart, values[last]) + ". ") + "Arrow keys go from point to point, Enter shows the rows; the data table has every value.";
  }
  function lastComplete(values, complete) {
    for (let at = values.length - 1; at >= 0; at -= 1) if (complete[at] && values[at] !== null && values[at] !== void 0) return at;
    return -1;
  }

  // charts.js
  var queue = [];
  var running = 0;
  var printing = false;
  var plotOf = (chart) => (
    /** @type {Plot} */
    byId("plot-" + chart.id)
  );
  function drawOne(chart) {
    const view = visible();
    const plot = plotOf(chart);
    const values = chart.kind === "count" ? chart.series.flatMap(([name]) => column(view, name)) : column(view, chartColumn(chart));
    const complete = completeness(view, chart);
    const known = values.some((value) => value !== null && value !== void 0) && !(chart.kind === "count" && values.every((value) => !value));
    plot.setAttribute("aria-label", summaryOf(chart, view, complete));
    const last = chart.kind === "count" && chart.series.length > 1 ? -1 : lastComplete(values, complete);
    byId("chart-latest-" + chart.id).textContent = known && last >= 0 ? chartText(chart, values[last]) + (last === values.length - 1 || !complete.slice(last + 1).some(Boolean) ? ", last full " + state.period : ", " + inPeriod(state.period, view.starts[last])) : "";
    if (!known) {
      bePicture(plot);
      if (plot.data) Plotly.purge(plot);
      plot.replaceChildren(node("p", { class: "nothing" }, whyEmpty(chart.id) || "No data in this window."));
      return;
    }
    if (!plot.data) plot.replaceChildren();
    const { traces, layout } = figure(chart, view, printing);
    Plotly.react(plot, traces, layout, { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false });
    beSlider(chart, plot, view);
    plot.removeAllListeners("plotly_click");
    plot.on("plotly_click", (event) => openPoint(chart, event.points[0].pointNumber));
  }
  function drawCharts() {
    printing = false;
    queue = [...data.charts];
    document.documentElement.dataset.drawn = "no";
    if (!running) running = requestAnimationFrame(drawNext);
  }
  function drawNext() {
    running = 0;
    const chart = queue.shift();
    if (chart) drawOne(chart);
    if (queue.length) running = requestAnimationFrame(drawNext);
    else document.documentElement.dataset.drawn = "yes";
  }
  function printCharts() {
    printing = true;
    queue = [];
    data.charts.forEach(drawOne);
    document.documentElement.dataset.drawn = "yes";
  }
  function layOutCharts() {
    for (const section of data.topics) {
      byId("charts-" + section).replaceChildren(...data.charts.filter((chart) => chart.section === section).map((chart) => {
        const legend = chart.series.length > 1 ? node("div", { class: "keys" }, ...chart.series.map(([, label], at) => {
          const swatch = node("i");
          swatch.style.background = at ? "var(--second)" : "var(--accent)";
          return node("span", {}, swatch, label);
        })) : null;
        return node(
          "figure",
          { class: "chart", id: "chart-" + chart.id, "aria-labelledby": "chart-title-" + chart.id },
          node("div", { class: "chart-head" }, node("h3", { id: "chart-title-" + chart.id }, chart.title), node("span", { class: "latest", id: "chart-latest-" + chart.id, hidden: legend ? "" : null })),
          node("p", { class: "what" }, chart.definition),
          legend,
          node("div", { class: "plot", id: "plot-" + chart.id, role: "img", "aria-label": chart.title })
        );
      }));
    }
    byId("charts-flow").append(node(
      "figure",
      { class: "chart", "aria-labelledby": "ages-title" },
      node("div", { class: "chart-head" }, node("h3", { id: "ages-title" }, "Age of open pull requests")),
      node("p", { class: "what" }, "Since they were opened, at the last load. The table below lists them."),
      node("dl", { class: "ages", id: "ages" })
    ));
    for (const chart of data.charts) makeUsable(chart, plotOf(chart));
  }
  function numbersAt(chart, view, at) {
    const pick = (name) => name ? column(view, name)[at] : null;
    return Object.fromEntries(chart.rows.filter((id) => id in data.metrics).map((id) => {
      const metric = data.metrics[id];
      return [id, { value: pick(metric.value_column), sample: pick(metric.sample_column), part: pick(metric.part_column) }];
    }));
  }
  var openPoint = (chart, at) => {
    const view = visible();
    if (at >= 0 && at < view.starts.length) openRows(chart.rows, chart.title, { period: state.period, start: view.starts[at] }, numbersAt(chart, view, at));
  };
  function makeUsable(chart, plot) {
    plot.addEventListener("keydown", (event) => {
      const view = visible();
      const last = view.starts.length - 1;
      const now = Number(plot.getAttribute("aria-valuenow"));
      const next = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: last }[event.key];
      if (event.key === "Enter" || event.key === " ") openPoint(chart, now);
      else if (next === void 0) return;
      else pointAt(chart, plot, view, Math.max(0, Math.min(last, next)));
      event.preventDefault();
    });
    plot.addEventListener("focus", () => {
      if (plot.matches(":focus-visible")) pointAt(chart, plot, visible(), Number(plot.getAttribute("aria-valuenow")));
    });
    plot.addEventListener("blur", () => {
      if (plot.data) Plotly.Fx.unhover(plot);
    });
  }
  function pointAt(chart, plot, view, at) {
    const complete = completeness(view, chart);
    plot.setAttribute("aria-valuenow", String(at));
    plot.setAttribute("aria-valuetext", hoverText(chart, view, at, complete[at]).replace(/<br>/g, ", ").replace(/<[^>]+>/g, ""));
    if (!plot.data) return;
    const curve = chart.kind === "count" ? 0 : plot.data.length - 1;
    Plotly.Fx.hover(plot, [{ curveNumber: curve, pointNumber: at }]);
  }
  function beSlider(chart, plot, view) {
    const values = { role: "slider", tabindex: "0", "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": view.starts.length - 1 };
    for (const [name, value] of Object.entries(values)) plot.setAttribute(name, String(value));
    const at = view.starts.length - 1;
    plot.setAttribute("aria-valuenow", String(at));
    plot.setAttribute("aria-valuetext", hoverText(chart, view, at, completeness(view, chart)[at]).replace(/<br>/g, ", ").replace(/<[^>]+>/g, ""));
  }
  function bePicture(plot) {
    for (const name of ["tabindex", "aria-orientation", "aria-valuemin", "aria-valuemax", "aria-valuenow", "aria-valuetext"]) plot.removeAttribute(name);
    plot.setAttribute("role", "img");
  }

  // numbers.js
  function drawNumbers() {
    const view = visible();
    const mine = data.charts.filter((chart) => chart.section === state.table);
    const period = state.period[0].toUpperCase() + state.period.slice(1);
    const complete = completeness(view, mine[0]);
    const table = [
      { name: period, value: (at) => view.starts[at], cell: (at) => periodName(state.period, view.starts[at]).replace("Week of ", "") + (complete[at] ? "" : " (in progress)") },
      { name: "Complete", value: (at) => complete[at] ? "yes" : "no", hidden: true }
    ];
    const add = (name, csv, source, text) => {
      const values = column(view, source);
      table.push({ name, csv, value: (at) => values[at], cell: (at) => text(values[at]), kind: "num" });
    };
    for (const chart of mine) {
      if (chart.kind === "duration") {
        add(chart.title + ", median", chart.title + ", median (hours)", chart.metric + "_median", duration);
        add("p75", chart.title + ", p75 (hours)", chart.metric + "_p75", duration);
        add("p90", chart.title + ", p90 (hours)", chart.metric + "_p90", duration);
        add(chart.sample_noun[0].toUpperCase() + chart.sample_noun.slice(1), chart.title + ", " + chart.sample_noun, chart.sample, grouped);
      } else if (chart.kind === "rate") {
        add(chart.title, chart.title, chart.metric, percent);
        add("Count", chart.title + ", " + chart.sample_noun, chart.parts[0], grouped);
      } else for (const [name, label] of chart.series) add(label, label, name, grouped);
    }
    byId("numbers-sub").textContent = scopeName(state.scope) + " by " + state.period + ", " + windowName() + ". A dash is no data, not zero.";
    byId("numbers").replaceChildren(view.starts.length ? tableOf({ caption: "metrics by " + state.period, wide: true, rows: view.starts.map((_, at) => at).reverse(), columns: table, first: 60, file: fileName(state.table, "by", state.period, scopeName(state.scope)) }) : nothing("No data yet."));
  }
  function chooseTable(section) {
    state.table = section;
    drawNumbers();
  }

  // controls.js
  function segmented(id, options, chosen) {
    const box = byId(id);
    for (const [value, label] of options) {
      const input = node("input", { type: "radio", name: id, value });
      input.addEventListener("change", () => chosen(value));
      box.append(node("label", {}, input, node("span", {}, label)));
    }
  }
  function layOutControls() {
    const groups = { all: null, team: "Teams", repository: "Repositories", service: "Services" };
    const select = (
      /** @type {HTMLSelectElement} */
      byId("scope")
    );
    for (const [type, label] of Object.entries(groups)) {
      const options = data.scopes.flatMap((scope, at) => scope[0] === type ? [node("option", { value: at }, scopeName(at))] : []);
      if (options.length) select.append(...label ? [node("optgroup", { label }, ...options)] : options);
    }
    select.addEventListener("change", () => choose({ scope: Number(select.value) }));
    segmented("window", data.windows.map((each) => [each.id, each.days ? each.days + " days" : "All"]), (window2) => choose({ window: window2 }));
    segmented("period", Object.keys(data.starts).map((period) => [period, capitalized(period)]), (period) => choose({ period: (
      /** @type {Period} */
      period
    ) }));
    segmented("numbers-tab", data.topics.map((topic) => [topic, capitalized(topic)]), chooseTable);
  }

  // failures.js
  async function drawFailures(isCurrent) {
    const all = await packed("failures");
    if (!isCurrent()) return;
    const days = windowOf().days;
    const begin = days ? Date.parse(data.as_of) - days * DAY : -Infinity;
    const known = recordsOf(all);
    const rows = known.filter((row) => row.scopes.includes(state.scope) && Date.parse(row.finished_at + "Z") > begin);
    const total2 = cardOf(data.metrics.change_fail_rate).part || 0;
    byId("failures-sub").textContent = rows.length ? (total2 > rows.length ? "The newest " + grouped(rows.length) + " of " + grouped(total2) + " failed deployments" : plural(rows.length, "failed deployments")) + " in " + (state.scope ? scopeName(state.scope) : "all repositories") + ", " + windowName() + ", with the evidence." : "";
    if (total2 > rows.length) byId("failures-sub").append(" All of them: ", node("code", {}, explainCommand("change_fail_rate", spanOf({ window: windowOf() }))));
    byId("failures").replaceChildren(rows.length ? tableOf({ caption: "failed deployments", rows, file: fileName("failed-deployments", scopeName(state.scope), windowName()), columns: [
      { name: "Finished (UTC)", value: (row) => row.finished_at + "Z", cell: (row) => momentName(row.finished_at) },
      { name: "Where", value: (row) => row.where },
      { name: "Deployment", value: (row) => row.deployment, cell: (row) => link(row.url, row.deployment), kind: "nowrap" },
      { name: "Address", value: (row) => row.url, hidden: true },
      { name: "Evidence", value: (row) => evidenceText(row.evidence), cell: (row) => evidenceList(row.evidence) },
      { name: "Recovered in", csv: "Recovered in (hours)", value: (row) => row.recovery_hours, cell: (row) => row.recovery_hours === null ? node("span", { class: "nil" }, "not yet") : duration(row.recovery_hours), kind: "num", always: true }
    ] }) : nothing(whyEmpty("deployment_frequency") || "No failed deployment in this window."));
  }

  // scopes.js
  function drawScopes() {
    const days = windowOf().days;
    const rows = data.scopes.map(([type, name], at) => ({ type, name, at }));
    const of = (key) => (row) => data.cards[state.window][key].value[row.at];
    const sampled = (key, text) => (row) => {
      const { value, sample } = data.cards[state.window][key];
      return node("span", { class: sample[row.at] < data.minimum && key !== "deployment_frequency" ? "few" : null, title: plural(sample[row.at] || 0, data.metrics[key].sample_noun) }, text(value[row.at], row));
    };
    byId("scopes-sub").textContent = capitalized(windowName()) + ". Pale numbers have a sample under " + data.minimum + ".";
    byId("scopes").replaceChildren(tableOf({ caption: "keys by team, repository and service", rows, first: 12, sorted: true, filter: (row) => scopeName(row.at) + " " + row.type, file: fileName("scopes", windowName()), columns: [
      { name: "Name", value: (row) => scopeName(row.at), cell: (row) => {
        const pick = node("button", { type: "button", class: "plain", "aria-pressed": String(row.at === state.scope) }, scopeName(row.at));
        pick.addEventListener("click", () => {
          choose({ scope: row.at });
          byId("main").focus();
          scrollTo(0, 0);
        });
        return pick;
      } },
      { name: "Kind", value: (row) => row.type === "all" ? "organization" : row.type },
      { name: "Deployments", value: of("deployment_frequency"), cell: sampled("deployment_frequency", (value, row) => perWeek(value, days || data.history_days[row.at])), kind: "num" },
      { name: "Lead time", csv: "Lead time, median (hours)", value: of("lead_time"), cell: sampled("lead_time", duration), kind: "num" },
      { name: "Change fail rate", value: of("change_fail_rate"), cell: sampled("change_fail_rate", percent), kind: "num" },
      { name: "Recovery time", csv: "Recovery time, median (hours)", value: of("recovery"), cell: sampled("recovery", duration), kind: "num" },
      { name: "Rework rate", value: of("rework_rate"), cell: sampled("rework_rate", percent), kind: "num" },
      { name: "Overall score", value: (row) => data.totals[state.window]?.overall[row.at], cell: (row) => decimal(data.totals[state.window].overall[row.at] ?? 0), kind: "num" }
    ] }));
  }

  // sources.js
  function drawSources() {
    const LISTED = 5;
    byId("sources").replaceChildren(tableOf({ caption: "state of each source", rows: data.sources, file: fileName("sources"), columns: [
      { name: "Source", value: (row) => row.title },
      { name: "Complete as of", value: (row) => row.as_of, cell: (row) => row.as_of_text, always: true },
      { name: "Last success", value: (row) => row.succeeded_at, cell: (row) => momentName(row.succeeded_at || "") + " UTC" },
      { name: "Repositories or teams", value: (row) => row.scopes, kind: "num" },
      { name: "Last attempt", value: (row) => row.failed.map(([name, error]) => name + ": " + error).join("; ") || row.missing || "OK", cell: (row) => {
        if (!row.failed.length) return row.missing || "OK";
        const list = row.failed.slice(0, LISTED).map(([name, error]) => node("div", { class: "failure" }, node("strong", {}, name), " " + error));
        if (row.failed.length > LISTED) list.push(node("div", { class: "failure" }, "and " + (row.failed.length - LISTED) + " more: ", node("code", {}, "veelocity status"), " lists them."));
        return node("div", {}, ...list);
      } }
    ] }));
  }
  async function drawFreshness() {
    const rows = await packed("freshness");
    const failed = rows.filter(([, , , error]) => error).length;
    byId("freshness-sub").textContent = rows.length ? "Oldest first. " + (failed ? grouped(failed) + " of " + grouped(rows.length) + " failed in the last attempt." : "The last attempt succeeded for all.") : "";
    byId("freshness").replaceChildren(rows.length ? tableOf({ caption: "freshness by repository and team", rows, first: 10, file: fileName("freshness"), columns: [
      { name: "Repository or team", value: ([, name]) => name },
      { name: "Source", value: ([source]) => source },
      { name: "Complete as of (UTC)", value: ([, , asOf]) => asOf, cell: ([, , asOf]) => asOf ? momentName(asOf) : "never read completely", always: true },
      { name: "Last attempt", value: ([, , , error]) => error || "OK", cell: ([, , , error]) => error ? node("div", { class: "failure" }, error) : "OK" }
    ] }) : nothing("No repository has been read yet."));
  }
  async function drawCoverage(isCurrent) {
    const coverage = await packed("coverage") || {};
    if (!isCurrent()) return;
    const rows = Object.keys(coverage).filter((metric) => coverage[metric].eligible[state.scope]).map((metric) => ({
      metric,
      eligible: coverage[metric].eligible[state.scope],
      measured: coverage[metric].measured[state.scope],
      reasons: coverage[metric].reasons[state.scope]
    })).sort((left, right) => METRICS[left.metric].title.localeCompare(METRICS[right.metric].title));
    const reasons = (row) => row.reasons.map(([reason, count]) => grouped(count) + " " + reason);
    byId("coverage-sub").textContent = "Of what each metric could measure in " + (state.scope ? scopeName(state.scope) : "all repositories") + ", all history.";
    byId("coverage").replaceChildren(rows.length ? tableOf({ caption: "coverage of the metrics", rows, first: 30, file: fileName("coverage", scopeName(state.scope)), columns: [
      { name: "Metric", value: (row) => row.metric, cell: (row) => METRICS[row.metric].title },
      { name: "Eligible", value: (row) => row.eligible, kind: "num" },
      { name: "Measured", value: (row) => row.measured, kind: "num" },
      { name: "Coverage", value: (row) => row.measured / row.eligible, cell: (row) => percent(row.measured / row.eligible), kind: "num" },
      { name: "Excluded because", value: (row) => reasons(row).join("; "), cell: (row) => node("ul", { class: "evidence" }, ...reasons(row).map((text) => node("li", {}, text))) }
    ] }) : nothing("Nothing to measure is known here."));
  }

  // stages.js
  var openOf = ([stage, , median, , , sample]) => openStage(stage, { value: median, sample });
  function drawStages() {
    const stages = data.stages[state.window]?.[state.scope] || [];
    byId("stages-sub").textContent = stages.length ? "Share of the hours of the same " + plural(stages[0][6], "pull requests") + ", " + windowName() + ". Medians do not add up; they are in the table. Select a stage to list its rows." : "";
    if (!stages.length) {
      byId("stages").replaceChildren(nothing("No change with all its stages known was deployed in this window."));
      return;
    }
    const bar = node("div", { class: "stage-bar", role: "group", "aria-label": "Stages of the lead time for changes" }, ...stages.filter(([, share]) => share).map((stage) => {
      const [id, share] = stage;
      const title = data.metrics[id].title;
      const part = node(
        "button",
        { type: "button", class: "stage stage-" + id, title: title + ": " + percent(share), "aria-label": title + ": " + percent(share) + ". Show the rows" },
        node("span", { "aria-hidden": "true" }, (share ?? 0) > 0.08 ? percent(share) : "")
      );
      part.style.flexGrow = String(share ?? 0);
      part.addEventListener("click", () => openOf(stage));
      return part;
    }));
    const table = tableOf({ caption: "stages of the lead time", rows: stages, file: fileName("lead-time-stages", scopeName(state.scope), windowName()), columns: [
      { name: "Stage", value: ([id]) => data.metrics[id].title, cell: (stage) => {
        const open = node("button", { type: "button", class: "plain" }, data.metrics[stage[0]].title);
        open.addEventListener("click", () => openOf(stage));
        return node("span", {}, node("i", { class: "swatch stage-" + stage[0], "aria-hidden": "true" }), open);
      } },
      { name: "Share of the hours", value: ([, share]) => share, cell: ([, share]) => percent(share), kind: "num" },
      { name: "Median", csv: "Median (hours)", value: ([, , median]) => median, cell: ([, , median]) => duration(median), kind: "num" },
      { name: "p75", csv: "p75 (hours)", value: ([, , , p75]) => p75, cell: ([, , , p75]) => duration(p75), kind: "num" },
      { name: "p90", csv: "p90 (hours)", value: ([, , , , p90]) => p90, cell: ([, , , , p90]) => duration(p90), kind: "num" },
      { name: "Pull requests", value: ([, , , , , sample]) => sample, kind: "num" }
    ] });
    byId("stages").replaceChildren(node("div", { class: "panel stages" }, bar), table);
  }

  // theme.js
  var systemDark = matchMedia("(prefers-color-scheme: dark)");
  var chosenTheme = null;
  try {
    chosenTheme = localStorage.getItem("veelocity-theme");
  } catch {
  }
  function applyTheme(theme) {
    document.documentElement.dataset.theme = theme;
    byId("theme").setAttribute("aria-label", "Switch to " + (theme === "dark" ? "light" : "dark") + " theme");
  }
  var themeNow = () => chosenTheme || (systemDark.matches ? "dark" : "light");
  byId("theme").addEventListener("click", () => {
    chosenTheme = themeNow() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("veelocity-theme", chosenTheme);
    } catch {
    }
    applyTheme(chosenTheme);
    drawCharts();
  });
  systemDark.addEventListener("change", () => {
    if (!chosenTheme) {
      applyTheme(themeNow());
      drawCharts();
    }
  });
  window.addEventListener("beforeprint", () => {
    applyTheme("light");
    printCharts();
  });
  window.addEventListener("afterprint", () => {
    applyTheme(themeNow());
    drawCharts();
  });
  var followTheme = () => applyTheme(themeNow());

  // work.js
  async function drawOpen(isCurrent) {
    const open = await packed("open");
    if (!isCurrent()) return;
    const now = Date.parse(data.as_of) / 1e3;
    const rows = recordsOf(open).filter((row) => row.scopes.includes(state.scope)).map((row) => ({ ...row, value: (now - row.at) / 3600 }));
    byId("open-sub").textContent = rows.length ? plural(rows.length, "open pull requests") + " (bots excluded), oldest first. Median age: " + duration(data.open_work.open_hours_median[state.scope]) + "." : "";
    if (!rows.length) {
      byId("ages").replaceChildren(node("div", {}, node("dt", {}, "All"), node("dd", {}, "0")));
      byId("open").replaceChildren(nothing("No pull request is open here."));
      return;
    }
    byId("ages").replaceChildren(...data.ages.map(([name, label]) => {
      const count = data.open_work[name][state.scope] || 0;
      const bar = node("i");
      bar.style.width = count / rows.length * 100 + "%";
      return node("div", {}, node("dt", {}, label), node("dd", {}, node("span", { class: "bar", "aria-hidden": "true" }, bar), node("b", {}, grouped(count))));
    }));
    byId("open").replaceChildren(tableOf({
      caption: "open pull requests",
      rows,
      first: 10,
      file: fileName("open-pull-requests", scopeName(state.scope)),
      columns: [.../** @type {Column<OpenRow>[]} */
      rowColumns("Opened"), { name: "Age", csv: "Age (hours)", value: (row) => Math.round(row.value * 100) / 100, cell: (row) => duration(row.value), kind: "num" }, { name: "Stage", value: (row) => row.stage }]
    }));
  }

  // main.js
  window.veelocity = { duration, percent, perWeek, decimal, quoted };
  window.addEventListener("hashchange", () => choose(recall()));
  drawBy(async (isCurrent) => {
    drawCards();
    drawStages();
    drawNumbers();
    drawScopes();
    await Promise.all([drawFailures(isCurrent), drawOpen(isCurrent), drawCoverage(isCurrent)]);
    await chartLibrary();
    if (isCurrent()) drawCharts();
  });
  followTheme();
  var age = data.refreshed ? (Date.now() - Date.parse(data.refreshed)) / DAY : 0;
  if (data.refreshed && age > data.stale_days) {
    byId("old").append(node("div", { class: "notice warn", role: "alert" }, node("strong", {}, "This report is " + Math.floor(age) + " days old."), " The last refresh that succeeded was on " + dateName(data.refreshed) + ". Run veelocity refresh, or make dev to run it on a schedule."));
  }
  drawSources();
  if (!("DecompressionStream" in window)) {
    byId("old").append(node("div", { class: "notice warn", role: "alert" }, "This browser is too old to unpack the report. Open it in one of 2023 or later."));
    document.body.classList.add("nothing-yet");
  } else if (data.scopes.length) {
    layOutControls();
    layOutCharts();
    drawFreshness();
    choose(recall());
  } else document.documentElement.dataset.drawn = "yes";
})();
