// The dashboard: asks the platform API every few seconds, and draws. Everything that came from outside is set as text.
"use strict";
const EVERY_MS = 5000;
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function el(name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined && text !== null) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function svg(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

async function ask(path) {
  const response = await fetch("/__platform/" + path, { credentials: "same-origin", cache: "no-store" });
  if (response.status === 401) throw Object.assign(new Error("signed out"), { signedOut: true });
  const told = await response.json();
  if (!response.ok) throw new Error(told.error ? told.error.code : "status " + response.status);
  return told;
}

const percent = (share) => share === null || share === undefined ? "–" : (share * 100).toFixed(share > 0.999 && share < 1 ? 3 : 2) + " %";
const money = (atomic) => { const digits = String(atomic ?? "0").padStart(7, "0"); return digits.slice(0, -6) + "." + digits.slice(-6).replace(/0{1,4}$/, ""); };
const age = (ms) => ms === null || ms === undefined ? "–" : ms < 90000 ? Math.round(ms / 1000) + " s" : ms < 5400000 ? Math.round(ms / 60000) + " min" : (ms / 3600000).toFixed(1) + " h";
const clock = (ms) => new Date(ms).toLocaleString(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

function tile(name, value, isBad) {
  const node = el("div", null, "tile");
  node.append(el("b", value, isBad === undefined ? "" : isBad ? "bad" : "good"), el("span", name));
  return node;
}

// One chart. Each column of time is a button that opens its requests.
function chart(target, slo, lines, options) {
  const [width, height, left, bottom] = [600, 150, 44, 18];
  const steps = slo.series;
  const span = Math.max(slo.to_ms - slo.from_ms, 1);
  const x = (at) => left + (at - slo.from_ms) / span * (width - left - 4);
  const values = steps.flatMap((step) => lines.map((line) => line(step))).filter((value) => typeof value === "number");
  const goal = options.goal;
  const low = options.low !== undefined ? options.low : Math.min(...values, goal ?? Infinity, 1) - 0.005;
  const high = options.high !== undefined ? options.high : Math.max(...values, goal ?? 0, 1) * 1.05;
  const y = (value) => 6 + (high - value) / Math.max(high - low, 1e-9) * (height - bottom - 10);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": options.label });
  root.append(svg("line", { class: "axis", x1: left, x2: width, y1: height - bottom, y2: height - bottom }));
  for (const value of [low, high]) {
    const label = svg("text", { x: 2, y: y(value) + (value === high ? 8 : 0) });
    label.textContent = options.say(value);
    root.append(label);
  }
  for (const [at, anchor] of [[slo.from_ms, "start"], [slo.to_ms, "end"]]) {
    const label = svg("text", { x: x(at), y: height - 4, "text-anchor": anchor });
    label.textContent = clock(at);
    root.append(label);
  }
  if (goal !== undefined) root.append(svg("line", { class: "goal", x1: left, x2: width, y1: y(goal), y2: y(goal) }));
  lines.forEach((line, n) => {
    const points = steps.filter((step) => typeof line(step) === "number").map((step) => [x(step.at_ms + slo.step_ms / 2), y(line(step))]);
    root.append(svg("polyline", { class: "s" + n, points: points.map((point) => point.join(",")).join(" ") }));
    for (const [cx, cy] of points) root.append(svg("circle", { class: "dot" + n, cx, cy, r: 2.5 }));
  });
  for (const step of steps) {
    const told = lines.map((line) => options.say(line(step))).join(", ");
    const hit = svg("rect", { class: "hit", x: x(step.at_ms), y: 0, width: Math.max(x(step.at_ms + slo.step_ms) - x(step.at_ms), 6), height: height - bottom, tabindex: 0, role: "button", "aria-label": `${clock(step.at_ms)}: ${told}. Show its requests` });
    const title = svg("title", {});
    title.textContent = `${clock(step.at_ms)}: ${told}`;
    hit.append(title);
    const open = () => requests(step.at_ms, step.at_ms + slo.step_ms);
    hit.addEventListener("click", open);
    hit.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); } });
    root.append(hit);
  }
  replace(target, steps.length ? root : el("p", "nothing in this time"));
}

// Draws anew only what changed, so that nobody loses the focus to a poll.
function replace(id, node) {
  const target = $(id);
  if (target.firstChild && target.firstChild.outerHTML === node.outerHTML) return;
  const focused = document.activeElement && target.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  target.replaceChildren(node);
  if (focused) [...target.querySelectorAll("[aria-label]")].find((each) => each.getAttribute("aria-label").slice(0, 20) === focused.slice(0, 20))?.focus();
}

function table(head, rows) {
  if (!rows.length) return el("p", "none");
  const node = el("table");
  const top = el("tr");
  for (const [name, isNumber] of head) top.append(el("th", name, isNumber ? "n" : ""));
  const body = el("tbody");
  for (const row of rows) {
    const line = el("tr");
    row.forEach((cell, n) => line.append(el("td", cell, head[n][1] ? "n" : "")));
    body.append(line);
  }
  const header = el("thead");
  header.append(top);
  node.append(header, body);
  return node;
}

async function requests(since, until) {
  $("requests").hidden = false;
  $("h-requests").textContent = `${clock(since)} to ${clock(until)}`;
  $("h-requests").focus();
  replace("list", el("p", "loading"));
  try {
    const told = await ask(`events?limit=200&since=${since}&until=${until}`);
    const list = el("div");
    for (const event of told.events) {
      const line = event.event;
      const item = el("details");
      const words = [clock(event.at_ms), event.type, line.tenant_id, line.status, line.code, line.facilitator, line.ms === undefined ? null : line.ms + " ms", line.request_id];
      item.append(el("summary", words.filter((word) => word !== undefined && word !== null).join("  ")), el("pre", JSON.stringify(line, null, 1)));
      list.append(item);
    }
    replace("list", told.events.length ? list : el("p", "no events"));
  } catch (error) {
    replace("list", el("p", String(error.message), "bad"));
  }
}

// The facilitators as they stand now, by name and call.
function standings(told) {
  const all = {};
  for (const one of told.facilitators) for (const call of ["verify", "settle"]) {
    const { standing, since_at_ms: since, last_failures: failures } = one[call];
    all[one.id + " " + call] = [standing, since ? clock(since) : "–", failures.length ? failures[0].reason : "–"];
  }
  return all;
}

function draw(slo, analytics, open, facilitators) {
  const { verify, settle } = slo.all;
  const tiles = el("div");
  tiles.style.display = "contents";
  const oldest = open.open.length ? open.open[0].age_ms : null;
  tiles.append(
    tile("verify success", percent(verify.success), verify.success === null ? undefined : verify.success < slo.objective),
    tile("settle success", percent(settle.success), settle.success === null ? undefined : settle.success < slo.objective),
    tile("open settlements", open.open.length, open.open.length > 0),
    tile("USDC in them", money(open.open.reduce((sum, it) => sum + BigInt(it.amount), 0n)), open.open.length > 0),
    tile("oldest open", age(oldest), oldest === null ? undefined : oldest > 600000),
    tile("settle budget left", percent(settle.budget_left), settle.budget_left === null ? undefined : settle.budget_left < 0),
    tile("p95 of sales", slo.latency_ms.p95 === null ? "–" : slo.latency_ms.p95 + " ms"),
    tile("limit hits today", analytics.limit_hits, analytics.limit_hits > 0),
    tile("lost events today", analytics.lost_events, analytics.lost_events > 0),
  );
  replace("tiles", tiles);
  const share = { goal: slo.objective, high: 1, say: percent };
  const least = (name) => Math.min(slo.objective, ...slo.series.map((step) => step[name].success ?? 1)) - 0.01;
  chart("verify", slo, [(step) => step.verify.success], { ...share, low: least("verify"), label: "Verify success over time" });
  chart("settle", slo, [(step) => step.settle.success], { ...share, low: least("settle"), label: "Settle success over time" });
  chart("burn", slo, [(step) => step.verify.burn, (step) => step.settle.burn], { goal: 1, low: 0, say: (value) => value === null || value === undefined ? "–" : value.toFixed(1), label: "Burn over time: verify, settle" });
  chart("latency", slo, [(step) => step.latency_ms.p50, (step) => step.latency_ms.p95, (step) => step.latency_ms.p99], { low: 0, say: (value) => value === null || value === undefined ? "–" : Math.round(value), label: "Latency of sales over time" });
  const { funnel, revenue } = analytics;
  replace("funnel", table([["stage"], ["today", true]], [["received", funnel.received], ["offered", funnel.offered], ["paid", funnel.paid], ["settled", funnel.settled], ["handed over", funnel.handed_over]]));
  replace("money", table([["today"], ["USDC", true]], [["from buyers", money(revenue?.amount)], ["sellers' own purchases", money(revenue?.by_itself)], ["settlements", revenue?.settled ?? 0]]));
  replace("open", table([["tenant"], ["amount", true], ["asked at"], ["age", true], ["payment"]], open.open.map((it) => [it.tenant_id, money(it.amount), it.facilitator, age(it.age_ms), it.payment])));
  const standing = standings(facilitators);
  const calls = Object.entries(analytics.facilitators).flatMap(([name, kinds]) => Object.entries(kinds).map(([call, it]) => {
    const count = (outcome) => it[outcome]?.count ?? 0;
    const all = count("answered") + count("refused") + count("failed");
    const now = standing[name + " " + call] ?? ["–", "–", "–"];
    return [name, call, ...now, all, percent(all ? 1 - count("failed") / all : null), count("refused"), count("failed"), it.latency_ms?.p50 ?? "–", it.latency_ms?.p95 ?? "–", it.latency_ms?.p99 ?? "–"];
  }));
  replace("facilitators", table([["facilitator"], ["call"], ["now"], ["since"], ["last failure"], ["calls", true], ["answered", true], ["no", true], ["failed", true], ["p50", true], ["p95", true], ["p99", true]], calls));
  replace("tenants", table([["tenant"], ["revenue", true], ["own", true], ["settled", true], ["requests", true], ["limit hits", true]], analytics.tenants.map((it) => [it.tenant_id, money(it.revenue), money(it.by_itself), it.settled, it.requests, it.limit_hits])));
  replace("kinds", table([["type"], ["count", true]], Object.entries(analytics.events)));
}

let turn = 0;
async function look() {
  const mine = ++turn;
  const chosen = document.querySelector("input[name=window]:checked").value;
  try {
    const paths = ["slo?window=" + chosen, "analytics?window=today&top=10", "open?limit=100", "facilitators"];
    const [slo, analytics, open, facilitators] = await Promise.all(paths.map(ask));
    if (mine !== turn) return;
    $("enter").hidden = true;
    for (const id of ["board", "windows", "leave"]) $(id).hidden = false;
    draw(slo, analytics, open, facilitators);
    $("state").textContent = "as of " + new Date().toLocaleTimeString();
    $("state").className = "";
  } catch (error) {
    if (mine !== turn) return;
    if (error.signedOut) {
      for (const id of ["board", "windows", "leave", "requests"]) $(id).hidden = true;
      $("enter").hidden = false;
      $("state").textContent = new URLSearchParams(location.search).has("refused") ? "that token opens nothing" : "sign in";
      return;
    }
    $("state").textContent = "cannot be read: " + error.message;
    $("state").className = "bad";
  }
  setTimeout(() => { if (mine === turn) look(); }, EVERY_MS);
}

for (const input of document.querySelectorAll("input[name=window]")) input.addEventListener("change", look);
$("close").addEventListener("click", () => { $("requests").hidden = true; });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") $("requests").hidden = true; });
look();
