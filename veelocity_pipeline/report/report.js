/* Draws the report from the JSON in #data. Text reaches the page through textContent and attributes alone, never as markup. */
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const state = { scope: 0, window: data.windows[0].id, period: "week", table: "delivery" };
  const DAY = 86400000;

  // ---- numbers as people read them; the same rules as formatting.py ----
  const halfUp = (value) => Math.floor(value + 0.5);
  const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  function decimal(value) {
    const tenths = halfUp(value * 10);
    if (tenths >= 100) return grouped(halfUp(value));
    return tenths % 10 ? Math.floor(tenths / 10) + "." + (tenths % 10) : String(tenths / 10);
  }
  function duration(hours) {
    if (hours === null || hours === undefined) return "no data";
    const seconds = halfUp(hours * 3600);
    if (seconds < 60) return seconds + " s";
    const minutes = halfUp(hours * 60);
    if (minutes < 60) return minutes + " min";
    if (minutes < 1440) return Math.floor(minutes / 60) + " h" + (minutes % 60 ? " " + (minutes % 60) + " min" : "");
    return decimal(hours / 24) + " d";
  }
  const percent = (rate) => (rate === null || rate === undefined ? "no data" : decimal(rate * 100) + " %");
  function perWeek(count, days) {
    if (count === null || count === undefined || !(days > 0)) return "no data";
    const weekly = (count / days) * 7;
    return count && weekly < 1 ? decimal((count / days) * 30) + " / month" : decimal(weekly) + " / week";
  }
  const plural = (count, noun) => grouped(count) + " " + (count === 1 ? noun.replace(/ies$/, "y").replace(/s$/, "") : noun);
  window.veelocity = { duration, percent, perWeek, decimal, state };

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const parts = (iso) => [Number(iso.slice(0, 4)), Number(iso.slice(5, 7)), Number(iso.slice(8, 10))];
  function periodName(period, iso) {
    const [year, month, day] = parts(iso);
    if (period === "month") return MONTHS[month - 1] + " " + year;
    if (period === "quarter") return "Q" + Math.ceil(month / 3) + " " + year;
    return "Week of " + day + " " + MONTHS[month - 1] + " " + year;
  }
  function tickName(period, iso, withYear) {
    const [year, month, day] = parts(iso);
    const name = period === "week" ? day + " " + MONTHS[month - 1] : period === "month" ? MONTHS[month - 1] : "Q" + Math.ceil(month / 3);
    return withYear ? name + "<br>" + year : name;
  }
  const dateName = (iso) => { const [year, month, day] = parts(iso); return day + " " + MONTHS[month - 1] + " " + year; };

  // ---- small DOM helpers ----
  function node(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) if (value !== null && value !== undefined) made.setAttribute(name, value);
    for (const child of children) if (child !== null && child !== undefined) made.append(child);
    return made;
  }
  function svg(tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }
  const link = (url, text) => (/^https?:\/\//i.test(url || "") ? node("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : document.createTextNode(text));

  // ---- what is selected ----
  const scopeName = (index) => (data.scopes[index][0] === "all" ? "All repositories" : data.scopes[index][1]);
  const windowOf = () => data.windows.find((each) => each.id === state.window);
  const windowName = () => (windowOf().days ? "last " + windowOf().days + " days" : "all history");
  function periodEnd(period, iso) {
    const [year, month, day] = parts(iso);
    if (period === "week") return Date.UTC(year, month - 1, day) + 7 * DAY;
    return Date.UTC(year, month - 1 + (period === "month" ? 1 : 3), 1);
  }
  /* Positions, in starts[period], of the periods that the window touches and the scope has. */
  function visible() {
    const starts = data.starts[state.period];
    const series = data.series[state.period][state.scope];
    if (!series) return { starts: [], from: 0, series: { columns: {} } };
    const last = series.offset + series.length;
    let from = series.offset;
    const days = windowOf().days;
    if (days) {
      const begin = Date.parse(data.as_of) - days * DAY;
      while (from < last - 1 && periodEnd(state.period, starts[from]) <= begin) from += 1;
    }
    return { starts: starts.slice(from, last), from: from - series.offset, series };
  }
  const column = (view, name) => (view.series.columns[name] || []).slice(view.from);
  function completeness(view, chart) {
    const flags = column(view, chart.section === "flow" ? "flow_is_complete" : "is_complete");
    return view.starts.map((_, at) => flags[at] !== 0);
  }
  const chartColumn = (chart) => (chart.kind === "duration" ? chart.metric + "_median" : chart.metric);
  const chartText = (chart, value) => (value === null || value === undefined ? "no data" : chart.kind === "duration" ? duration(value) : chart.kind === "rate" ? percent(value) : grouped(value));

  // ---- why something is empty, and what to do about it ----
  function whyEmpty(id) {
    if (id === "cycle_time" && !data.linear) return "Linear is not connected. Set LINEAR_API_KEY to see the cycle time of its issues.";
    if (["deployment_frequency", "lead_time", "change_fail_rate", "recovery", "rework_rate"].includes(id) && !data.deployed[state.scope]) {
      return id === "deployment_frequency"
        ? "No production deployment is known here. Name what deploys in DEPLOYMENT_PATTERNS or in [deployments] of veelocity.toml; veelocity check shows what was found."
        : "There are no production deployments to measure.";
    }
    if (id === "lead_time" && data.cards[state.window].lead_time.of_commits[state.scope]) {
      return "No pull request was shipped in this window. The card shows the lead time of commits made without one.";
    }
    return null;
  }

  // ---- cards ----
  function trendOf(key, card) {
    const box = node("p", { class: "trend" });
    const days = windowOf().days;
    if (!days) return box.append("No window before this one."), box;
    const before = "the " + days + " days before";
    if (card.previous_known === false) return box.append("History does not reach back over " + before + "."), box;
    if (card.value === null || card.previous === null) return box.append("Nothing to compare with in " + before + "."), box;
    if (key.kind !== "count" && (card.sample < data.minimum || card.previous_sample < data.minimum)) {
      return box.append("Too few " + key.sample_noun + " to compare with " + before + "."), box;
    }
    const was = key.kind === "duration" ? duration(card.previous) : key.kind === "rate" ? percent(card.previous) : perWeek(card.previous, days);
    const difference = card.value - card.previous;
    const share = card.previous ? Math.abs(difference) / card.previous : difference ? Infinity : 0;
    const close = key.kind === "rate" ? Math.abs(difference) < 0.005 : share < 0.05;
    if (close) { box.append(node("b", {}, "About the same"), " as " + before + " (" + was + ")"); return box; }
    const better = difference > 0 === key.higher_is_better;
    const amount = key.kind === "rate" ? decimal(Math.abs(difference) * 100) + " points" : share === Infinity ? "" : decimal(share * 100) + " %";
    const word = key.kind === "duration" ? (difference < 0 ? "faster" : "slower") : difference > 0 ? (key.kind === "count" ? "more" : "higher") : key.kind === "count" ? "fewer" : "lower";
    box.append(node("b", { class: better ? "better" : "worse" }, (difference > 0 ? "▲ " : "▼ ") + (amount ? amount + " " : "") + word), " than " + before + " (" + was + ")");
    return box;
  }
  function sparkline(chart, view) {
    const values = column(view, chartColumn(chart));
    const complete = completeness(view, chart);
    const known = values.filter((value) => value !== null && value !== undefined);
    if (!known.length) return null;
    const high = Math.max(...known) || 1;
    const x = (at) => (view.starts.length > 1 ? (at / (view.starts.length - 1)) * 100 : 50);
    const y = (value) => 36 - (value / high) * 32;
    const box = node("div", { class: "spark-dots" });
    const drawing = svg("svg", { class: "spark", viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" });
    let solid = "", dashed = "";
    values.forEach((value, at) => {
      if (value === null || value === undefined) return;
      const point = x(at).toFixed(2) + " " + y(value).toFixed(2);
      const joined = at > 0 && values[at - 1] !== null && values[at - 1] !== undefined;
      if (joined && complete[at]) solid += "L" + point; else if (complete[at]) solid += "M" + point;
      if (joined && !complete[at]) dashed += "M" + x(at - 1).toFixed(2) + " " + y(values[at - 1]).toFixed(2) + "L" + point;
      const alone = !joined && (values[at + 1] === null || values[at + 1] === undefined);
      if (!complete[at] || at === values.length - 1 || alone) {
        const dot = node("span", { class: "spark-dot" + (complete[at] ? (at === values.length - 1 ? "" : " small") : " hollow") });
        dot.style.left = x(at) + "%"; dot.style.top = (y(value) / 40) * 100 + "%";
        box.append(dot);
      }
    });
    if (solid) drawing.append(svg("path", { d: solid }));
    if (dashed) drawing.append(svg("path", { d: dashed, class: "open" }));
    box.prepend(drawing);
    return box;
  }
  function cardOf(key) {
    const all = data.cards[state.window][key.id];
    const card = {};
    for (const name of Object.keys(all)) card[name] = all[name][state.scope];
    return card;
  }
  function valueParts(key, card) {
    if (card.value === null || card.value === undefined) return ["no data", ""];
    const days = windowOf().days || data.history_days[state.scope];
    const text = key.kind === "duration" ? duration(card.value) : key.kind === "rate" ? percent(card.value) : perWeek(card.value, days);
    const cut = text.indexOf(" / ");
    return cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut)];
  }
  function sampleText(key, card) {
    if (key.kind === "count") return plural(card.sample || 0, "deployments") + (card.part ? " on " + plural(card.part, "days") : "");
    if (key.kind === "rate") return card.sample ? grouped(card.part || 0) + " of " + plural(card.sample, "deployments") : "no deployments";
    const noun = card.of_commits ? "commits" : key.sample_noun;
    return card.sample ? "median of " + plural(card.sample, noun) : "no " + noun;
  }
  function drawCards() {
    const view = visible();
    byId("cards").replaceChildren(...data.keys.map((key) => {
      const card = cardOf(key);
      const why = data.deployed[state.scope] ? null : whyEmpty(key.id);
      const [value, unit] = valueParts(key, card);
      const box = node("article", { class: "card", id: "card-" + key.id, "aria-labelledby": "card-title-" + key.id });
      box.append(node("h3", { id: "card-title-" + key.id, title: key.definition }, key.title));
      if (why) {
        box.append(node("p", { class: "value none" }, "no data"), node("p", { class: "hint" }, why));
        return box;
      }
      box.append(node("p", { class: value === "no data" ? "value none" : "value" }, value, unit ? node("small", {}, unit) : null));
      box.append(node("p", { class: "sample" }, sampleText(key, card)), trendOf(key, card));
      const spark = sparkline(data.charts.find((chart) => chart.id === key.id), view);
      box.append(spark || node("div", { class: "spark-dots" }, node("div", { class: "spark" })));
      const score = node("div", { class: "score" });
      const scored = card.score !== null && card.score !== undefined;
      const few = key.kind !== "count" && card.sample < data.minimum;
      score.append(node("div", { class: "score-line" }, node("span", {}, scored ? "Score" : !windowOf().days ? "Scored for windows only" : few ? "Too few to score" : "Not scored"),
        scored ? node("span", {}, node("b", {}, decimal(card.score)), " of 10") : null));
      const mean = card.mean === null || card.mean === undefined ? null : card.mean;
      const bar = node("div", { class: "bar", role: "img", "aria-label": (scored ? "Score " + decimal(card.score) + " of 10" : "No score") + (mean === null ? "" : "; mean of all industries in 2025: " + mean) });
      const fill = node("i");
      fill.style.width = scored ? card.score * 10 + "%" : "0";
      bar.append(fill);
      if (mean !== null) {
        const tick = node("u", { title: "Mean of all industries, 2025: " + mean });
        tick.style.left = mean * 10 + "%";
        bar.append(tick);
      }
      score.append(bar, node("p", { class: "level" }, node("span", {}, mean === null ? "" : "Industry mean " + mean),
        card.level ? node("span", { title: "Level as DORA's report of 2023 drew them" }, card.level[0].toUpperCase() + card.level.slice(1) + " (2023)") : null));
      box.append(score);
      return box;
    }));
    byId("overview-sub").textContent = scopeName(state.scope) + ", " + windowName() + (data.as_of ? " to " + dateName(data.as_of) : "");
    const totals = data.totals[state.window];
    byId("totals").replaceChildren(...(totals ? [["Throughput", totals.throughput], ["Stability", totals.stability], ["Overall", totals.overall]] : []).map(([name, values]) => {
      const value = values[state.scope];
      const known = value !== null && value !== undefined;
      return node("div", {}, node("dt", {}, name), node("dd", {}, known ? decimal(value) : "–", known ? node("small", {}, " of 10") : null));
    }));
  }

  // ---- charts ----
  const DURATION_STEPS = [1 / 60, 2 / 60, 5 / 60, 10 / 60, 15 / 60, 30 / 60, 1, 2, 3, 6, 12, 24, 48, 72, 120, 168, 240, 336, 480, 720, 1440, 2160, 4320, 8760];
  function durationTicks(high) {
    const step = DURATION_STEPS.find((each) => high / each <= 4.5) || Math.ceil(high / 4 / 8760) * 8760;
    const values = [];
    for (let at = 0; at * step <= high * 1.001; at += 1) values.push(at * step);
    return { values, text: values.map((value) => (value ? duration(value) : "0")) };
  }
  function plainTicks(high, whole, text) {
    const raw = high / 5;
    const power = Math.pow(10, Math.floor(Math.log10(raw)));
    let step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw);
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
  const soft = (hex, alpha) => "rgba(" + [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",") + "," + alpha + ")";
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
      lines.push("p75 " + duration(pick(chart.metric + "_p75")) + " · p90 " + duration(pick(chart.metric + "_p90")));
      lines.push(plural(pick(chart.sample) || 0, chart.sample_noun));
    } else if (chart.kind === "rate") {
      lines.push(percent(pick(chart.metric)));
      lines.push(grouped(pick(chart.parts[0]) || 0) + " of " + plural(pick(chart.parts[1]) || 0, "deployments"));
    } else for (const [name, label] of chart.series) lines.push(label + ": " + grouped(pick(name) || 0));
    if (!complete) lines.push("<i>not over yet</i>");
    return lines.join("<br>");
  }
  function figure(chart, view) {
    const tint = colours();
    const complete = completeness(view, chart);
    const x = view.starts;
    const hover = x.map((_, at) => hoverText(chart, view, at, complete[at]));
    const traces = [];
    let ticks;
    if (chart.kind === "count") {
      const columns = chart.series.map(([name]) => column(view, name));
      const high = Math.max(1, ...columns.flat().filter((value) => value !== null)) * 1.08;
      columns.forEach((values, at) => {
        if (at && !values.some(Boolean)) return;   // a series with nothing in it would only shift the bars of the other
        const colour = at ? tint.second : tint.accent;
        traces.push({ type: "bar", x, y: values, name: chart.series[at][1], text: hover, textposition: "none", hovertemplate: at ? undefined : "%{text}<extra></extra>", hoverinfo: at ? "skip" : undefined,
          marker: { color: complete.map((over) => (over ? colour : soft(colour, 0.12))), line: { color: colour, width: complete.map((over) => (over ? 0 : 1.5)) }, cornerradius: 2 } });
      });
      ticks = { ...plainTicks(high, true, grouped), high };
    } else {
      const values = column(view, chartColumn(chart));
      const upper = chart.kind === "duration" ? column(view, chart.metric + "_p75") : [];
      const known = [...values, ...upper].filter((value) => value !== null && value !== undefined);
      const high = (Math.max(...known) || (chart.kind === "rate" ? 0.1 : 1)) * 1.1;
      if (upper.length) {
        const bandX = [], bandY = [];
        for (let at = 0; at < x.length; at += 1) {   // one closed outline for each run of known periods; a gap stays a gap
          if (values[at] === null || upper[at] === null) continue;
          let end = at;
          while (end + 1 < x.length && values[end + 1] !== null && upper[end + 1] !== null) end += 1;
          if (bandX.length) { bandX.push(null); bandY.push(null); }
          for (let step = at; step <= end; step += 1) { bandX.push(x[step]); bandY.push(upper[step]); }
          for (let step = end; step >= at; step -= 1) { bandX.push(x[step]); bandY.push(values[step]); }
          at = end;
        }
        traces.push({ type: "scatter", mode: "none", x: bandX, y: bandY, fill: "toself", fillcolor: soft(tint.accent, 0.12), hoverinfo: "skip" });
        traces.push({ type: "scatter", mode: "lines", x, y: upper, line: { color: soft(tint.accent, 0.5), width: 1 }, hoverinfo: "skip", connectgaps: false });
      }
      const dashX = [], dashY = [];
      complete.forEach((over, at) => {
        if (over || at === 0 || values[at] === null || values[at - 1] === null) return;
        dashX.push(x[at - 1], x[at], null); dashY.push(values[at - 1], values[at], null);
      });
      if (dashX.length) traces.push({ type: "scatter", mode: "lines", x: dashX, y: dashY, line: { color: tint.accent, width: 2, dash: "4px,3px" }, hoverinfo: "skip", connectgaps: false });
      traces.push({ type: "scatter", mode: "lines", x, y: values.map((value, at) => (complete[at] ? value : null)), line: { color: tint.accent, width: 2 }, hoverinfo: "skip", connectgaps: false });
      const size = x.length > 60 ? 4 : 6;
      traces.push({ type: "scatter", mode: "markers", x, y: values, text: hover, hovertemplate: "%{text}<extra></extra>", cliponaxis: false,
        marker: { size: complete.map((over) => (over ? size : 8)), color: complete.map((over) => (over ? tint.accent : tint.panel)), opacity: 1, line: { color: tint.accent, width: complete.map((over) => (over ? 0 : 2)) } } });
      ticks = chart.kind === "duration" ? durationTicks(high) : plainTicks(high, false, percent);
      ticks.high = high;
    }
    const across = horizontalTicks(view);
    const layout = {
      margin: { l: 48, r: 18, t: 10, b: 40 }, showlegend: false, autosize: true, dragmode: false, hovermode: "closest", hoverdistance: 60, bargap: 0.3, bargroupgap: 0.08,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: tint.font, size: 12, color: tint.muted },
      hoverlabel: { bgcolor: tint.panel, bordercolor: tint.line, font: { family: tint.font, size: 12.5, color: tint.ink }, align: "left" },
      xaxis: { type: "date", tickvals: across.values, ticktext: across.text, showgrid: false, zeroline: false, ticks: "", fixedrange: true, tickangle: 0, ticklabeloverflow: "allow", range: barRange(view) },
      yaxis: { tickvals: ticks.values, ticktext: ticks.text, range: [0, ticks.high], gridcolor: tint.line, zeroline: true, zerolinecolor: tint.line, zerolinewidth: 1, fixedrange: true },
    };
    if (chart.kind === "count") layout.hovermode = "x";
    return { traces, layout };
  }
  /* Half a period of air on both sides, so that the first bar and the last hollow dot are whole. */
  function barRange(view) {
    if (!view.starts.length) return undefined;
    const length = periodEnd(state.period, view.starts[0]) - Date.parse(view.starts[0]);
    const iso = (time) => new Date(time).toISOString().slice(0, 19);
    return [iso(Date.parse(view.starts[0]) - length * 0.6), iso(Date.parse(view.starts[view.starts.length - 1]) + length * 0.6)];
  }
  function summaryOf(chart, view, complete) {
    const values = column(view, chartColumn(chart));
    const last = lastComplete(values, complete);
    const known = values.filter((value) => value !== null && value !== undefined).length;
    if (!known) return chart.title + ": no data in this window.";
    return chart.title + " by " + state.period + ", " + plural(view.starts.length, state.period + "s") + ". " +
      (last < 0 ? "" : "Last complete " + state.period + ": " + chartText(chart, values[last]) + ". ") + "The table below holds every value.";
  }
  function lastComplete(values, complete) {
    for (let at = values.length - 1; at >= 0; at -= 1) if (complete[at] && values[at] !== null && values[at] !== undefined) return at;
    return -1;
  }
  let queue = [];
  let running = 0;
  function drawOne(chart) {
    const view = visible();
    const box = byId("chart-" + chart.id);
    const plot = box.querySelector(".plot");
    const values = chart.kind === "count" ? chart.series.flatMap(([name]) => column(view, name)) : column(view, chartColumn(chart));
    const complete = completeness(view, chart);
    const known = values.some((value) => value !== null && value !== undefined) && !(chart.kind === "count" && values.every((value) => !value));
    plot.setAttribute("aria-label", summaryOf(chart, view, complete));
    const last = chart.kind === "count" && chart.series.length > 1 ? -1 : lastComplete(values, complete);
    box.querySelector(".latest").textContent = known && last >= 0 ? chartText(chart, values[last]) + (last === values.length - 1 || !complete.slice(last + 1).some(Boolean) ? ", last full " + state.period : ", " + periodName(state.period, view.starts[last]).replace("Week", "week")) : "";
    if (!known) {
      if (plot.data) Plotly.purge(plot);
      plot.replaceChildren(node("p", { class: "nothing" }, whyEmpty(chart.id) || "No data in this window."));
      return;
    }
    if (!plot.data) plot.replaceChildren();
    const { traces, layout } = figure(chart, view);
    Plotly.react(plot, traces, layout, { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false });
  }
  /* One chart a frame: the page answers while they appear. */
  function drawCharts() {
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
  function drawRest() {
    while (queue.length) drawOne(queue.shift());
    document.documentElement.dataset.drawn = "yes";
  }
  function layOutCharts() {
    for (const section of ["delivery", "flow"]) {
      byId("charts-" + section).replaceChildren(...data.charts.filter((chart) => chart.section === section).map((chart) => {
        const keys = chart.series.length > 1 ? node("div", { class: "keys" }, ...chart.series.map(([, label], at) => {
          const swatch = node("i");
          swatch.style.background = at ? "var(--second)" : "var(--accent)";
          return node("span", {}, swatch, label);
        })) : null;
        return node("figure", { class: "chart", id: "chart-" + chart.id, "aria-labelledby": "chart-title-" + chart.id },
          node("div", { class: "chart-head" }, node("h3", { id: "chart-title-" + chart.id }, chart.title), keys || node("span", { class: "latest" }), keys ? node("span", { class: "latest", hidden: "" }) : null),
          node("p", { class: "what" }, chart.definition),
          node("div", { class: "plot", role: "img", "aria-label": chart.title }));
      }));
    }
  }

  // ---- failed deployments ----
  function drawFailures() {
    const rows = data.failures;
    const begin = windowOf().days ? Date.parse(data.as_of) - windowOf().days * DAY : -Infinity;
    const chosen = rows.deployment.map((_, at) => at).filter((at) => rows.scopes[at].includes(state.scope) && Date.parse(rows.finished_at[at] + "Z") >= begin);
    const shown = chosen.slice(0, data.failures_shown);
    byId("failures-sub").textContent = shown.length ? (chosen.length > shown.length ? "The last " + shown.length : plural(shown.length, "deployments")) + " in " + (state.scope ? scopeName(state.scope) : "all repositories") + ", " + windowName() + ", with what shows that they failed" : "";
    if (!shown.length) {
      byId("failures").replaceChildren(node("p", { class: "empty" }, whyEmpty("deployment_frequency") || "No failed deployment in this window."));
      return;
    }
    const body = node("tbody");
    for (const at of shown) {
      const evidence = node("ul", { class: "evidence" }, ...rows.evidence[at].map(([kind, text, url]) => node("li", {}, node("span", { class: "tag" }, kind.replace("_", " ")), link(url, text))));
      body.append(node("tr", {}, node("th", { scope: "row" }, dateName(rows.finished_at[at]) + ", " + rows.finished_at[at].slice(11, 16)), node("td", {}, rows.where[at]),
        node("td", { class: "nowrap" }, link(rows.url[at], rows.deployment[at])), node("td", {}, evidence), node("td", { class: "num" }, rows.recovery_hours[at] === null ? node("span", { class: "nil" }, "not known") : duration(rows.recovery_hours[at]))));
    }
    byId("failures").replaceChildren(node("table", {}, node("thead", {}, node("tr", {}, ...["Finished (UTC)", "Where", "Deployment", "Evidence"].map((name) => node("th", { scope: "col" }, name)), node("th", { scope: "col", class: "num" }, "Recovered in"))), body));
  }

  // ---- the numbers ----
  function drawNumbers() {
    const view = visible();
    const charts = data.charts.filter((chart) => chart.section === state.table);
    const columns = [];
    for (const chart of charts) {
      if (chart.kind === "duration") {
        columns.push([chart.title + ", median", (at) => column(view, chart.metric + "_median")[at], duration]);
        columns.push(["p75", (at) => column(view, chart.metric + "_p75")[at], duration], ["p90", (at) => column(view, chart.metric + "_p90")[at], duration]);
        columns.push([chart.sample_noun[0].toUpperCase() + chart.sample_noun.slice(1), (at) => column(view, chart.sample)[at], grouped]);
      } else if (chart.kind === "rate") columns.push([chart.title, (at) => column(view, chart.metric)[at], percent], ["Of them", (at) => column(view, chart.parts[0])[at], grouped]);
      else for (const [name, label] of chart.series) columns.push([label, (at) => column(view, name)[at], grouped]);
    }
    const complete = completeness(view, { section: state.table });
    const head = node("tr", {}, node("th", { scope: "col" }, state.period[0].toUpperCase() + state.period.slice(1)), ...columns.map(([name]) => node("th", { scope: "col", class: "num" }, name)));
    const body = node("tbody");
    for (let at = view.starts.length - 1; at >= 0; at -= 1) {
      const row = node("tr", {}, node("th", { scope: "row" }, periodName(state.period, view.starts[at]).replace("Week of ", "") + (complete[at] ? "" : " (not over yet)")));
      for (const [, value, text] of columns) {
        const known = value(at);
        row.append(known === null || known === undefined ? node("td", { class: "num nil" }, node("span", { "aria-label": "no data" }, "–")) : node("td", { class: "num" }, text(known)));
      }
      body.append(row);
    }
    byId("numbers-sub").textContent = scopeName(state.scope) + " by " + state.period + ", " + windowName() + ". A dash is no data, not zero.";
    byId("numbers").replaceChildren(view.starts.length ? node("table", { class: "numbers" }, node("caption", { class: "hidden" }, "Metrics by " + state.period), node("thead", {}, head), body) : node("p", { class: "empty" }, "No data yet."));
  }

  // ---- controls ----
  function segmented(id, options) {
    const box = byId(id);
    for (const [value, label] of options) {
      const input = node("input", { type: "radio", name: id, value });
      input.addEventListener("change", () => choose({ [id === "numbers-tab" ? "table" : id]: value }));
      box.append(node("label", {}, input, node("span", {}, label)));
    }
  }
  function layOutControls() {
    const groups = { all: null, repository: "Repositories", service: "Services", team: "Teams" };
    const select = byId("scope");
    for (const [type, label] of Object.entries(groups)) {
      const options = data.scopes.map((scope, at) => [scope, at]).filter(([scope]) => scope[0] === type).map(([, at]) => node("option", { value: at }, scopeName(at)));
      if (options.length) select.append(...(label ? [node("optgroup", { label }, ...options)] : options));
    }
    select.addEventListener("change", () => choose({ scope: Number(select.value) }));
    segmented("window", data.windows.map((each) => [each.id, each.days ? each.days + " days" : "All"]));
    segmented("period", [["week", "Week"], ["month", "Month"], ["quarter", "Quarter"]]);
    segmented("numbers-tab", [["delivery", "Delivery"], ["flow", "Flow"]]);
  }
  function choose(change) {
    Object.assign(state, change);
    byId("scope").value = state.scope;
    for (const [name, value] of [["window", state.window], ["period", state.period], ["numbers-tab", state.table]]) {
      for (const input of document.getElementsByName(name)) input.checked = input.value === value;
    }
    drawCards(); drawFailures(); drawNumbers();
    if (Object.keys(change).join() !== "table") drawCharts();
    remember();
  }
  /* The selection is kept in the address, so that a view can be bookmarked and a reload keeps it. */
  function remember() {
    const [type, name] = data.scopes[state.scope];
    const text = new URLSearchParams({ scope: type === "all" ? "all" : type + ":" + name, window: state.window, period: state.period }).toString();
    try { history.replaceState(null, "", "#" + text); } catch { /* a viewer may forbid it; nothing else depends on it */ }
  }
  function recall() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const change = {};
    const scope = data.scopes.findIndex(([type, name]) => (type === "all" ? "all" : type + ":" + name) === wanted.get("scope"));
    if (scope >= 0) change.scope = scope;
    if (data.windows.some((each) => each.id === wanted.get("window"))) change.window = wanted.get("window");
    if (wanted.get("period") in data.starts) change.period = wanted.get("period");
    return change;
  }

  // ---- theme ----
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  let chosenTheme = null;
  try { chosenTheme = localStorage.getItem("veelocity-theme"); } catch { /* storage is off: follow the system */ }
  function applyTheme(theme) {
    document.documentElement.dataset.theme = theme;
    byId("theme").setAttribute("aria-label", "Switch to " + (theme === "dark" ? "light" : "dark") + " theme");
  }
  const themeNow = () => chosenTheme || (systemDark.matches ? "dark" : "light");
  byId("theme").addEventListener("click", () => {
    chosenTheme = themeNow() === "dark" ? "light" : "dark";
    try { localStorage.setItem("veelocity-theme", chosenTheme); } catch { /* not kept, then */ }
    applyTheme(chosenTheme);
    drawCharts();
  });
  systemDark.addEventListener("change", () => { if (!chosenTheme) { applyTheme(themeNow()); drawCharts(); } });
  window.addEventListener("beforeprint", () => { applyTheme("light"); queue = [...data.charts]; drawRest(); });
  window.addEventListener("afterprint", () => { applyTheme(themeNow()); drawCharts(); });
  window.addEventListener("hashchange", () => choose(recall()));

  // ---- start ----
  applyTheme(themeNow());
  const age = data.refreshed ? (Date.now() - Date.parse(data.refreshed)) / DAY : 0;
  if (age > data.stale_days) {
    byId("old").append(node("div", { class: "notice warn", role: "alert" }, node("strong", {}, "This report is " + Math.floor(age) + " days old."), " The last refresh that succeeded was on " + dateName(data.refreshed) + ". Run veelocity refresh, or make dev to run it on a schedule."));
  }
  if (data.scopes.length) {
    layOutControls();
    layOutCharts();
    choose(recall());
  } else document.documentElement.dataset.drawn = "yes";
})();
