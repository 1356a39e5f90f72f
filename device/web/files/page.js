"use strict";
// Asks for the state once a second while somebody looks, and shows it; text is only ever set as text.

const WORDS = {
  "corrosion": ["Corrosion", "▲"], "no-corrosion": ["No corrosion", "✓"], "unsure": ["Unsure", "?"],
  "unusable": ["Picture unusable", "⊘"], "unreadable": ["Picture unreadable", "⊘"],
  "lost": ["Camera lost", "✕"], "frozen": ["Camera frozen", "✕"], "degraded": ["Frames are late", "…"],
  "ended": ["Camera closed", "■"], "away": ["No verdicts", "✕"], "starting": ["Waiting for a frame", "…"],
  "open": ["Not decided yet", "…"],
};
const AWAY = ["lost", "frozen", "degraded", "ended", "away"];
const EVERY = 1000, PLOT_EVERY = 5000, SHOWN_EVENTS = 8, PATIENCE = 10000, LOOKED_AWAY = 30;

const cards = [...document.querySelectorAll(".camera")].map(card => {
  const parts = {};
  for (const part of card.querySelectorAll("[data-part]")) parts[part.dataset.part] = part;
  return { card, name: card.dataset.camera, parts, seconds: 3600, wanted: "", said: "", loading: false, plotted: 0 };
});
let knownEvents = "", failures = 0, unread = null;

async function ask(address) {
  const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE) });
  if (answer.redirected && answer.url.endsWith("/login") || answer.status === 401) location.assign("/login");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

async function turn() {
  if (!document.hidden) {
    try {
      show(await ask("/api/state"));
      await Promise.all(cards.map(plot));
      failures = 0;
    } catch (error) {
      broken(error);
    }
  }
  setTimeout(turn, EVERY * Math.min(10, 1 + failures));
}

function broken(error) {
  failures += 1;
  document.title = "No connection – corrosion watch";
  const line = document.getElementById("connection");
  line.textContent = `No connection to the device (${error.message}): what is below is old`;
  line.className = "broken";
  for (const camera of cards) notKnown(camera, "No connection");
}

// What was said last is no verdict on now.
function notKnown(camera, word) {
  const { parts } = camera;
  set(parts.word, word);
  set(parts.sign, "✕");
  parts.verdict.className = "verdict lost";
  set(parts.since, camera.said ? `last known: ${camera.said}` : "");
  parts.newest.hidden = true;
  parts.figure.classList.add("stale");
}

function show(state) {
  const line = document.getElementById("connection");
  line.className = state.healthy ? "" : "broken";
  line.textContent = state.healthy ? `live, ${moment(state.time)}` : capital(state.trouble);
  const alarm = showAlarm(state);
  for (const told of state.cameras) {
    const camera = cards.find(each => each.name === told.name);
    if (camera) showCamera(camera, told, state);
  }
  showMachine(state);
  showRunning(state);
  if (state.events !== null) {
    showMissed(state);
    if (placeOf(state) !== knownEvents) showEvents(state).catch(broken);
  }
  document.title = alarm + cards.map(each => each.parts.word.textContent).join(", ") + " – corrosion watch";
}

// Loud while the accelerator is away: in its place nothing answers, or the CPU. Gives the title's first words.
function showAlarm(state) {
  const runs = state.runs, told = runs.accelerator, box = document.getElementById("alarm");
  box.hidden = !told || told.up;
  if (box.hidden) return "";
  const lost = runs.backend === "nothing";
  box.className = lost ? "alarm lost" : "alarm";
  set(document.getElementById("alarm-sign"), lost ? "✕" : "!");
  set(document.getElementById("alarm-word"), lost ? `The ${told.name} is away: no verdicts until it is back`
    : `The CPU answers in place of the ${told.name}`);
  set(document.getElementById("alarm-since"), `since ${moment(told.since)} (${duration(ago(told.since, state.time))})`);
  set(document.getElementById("alarm-reason"), capital(told.reason));
  return lost ? "Accelerator away! " : "On the CPU! ";
}

function showCamera(camera, told, state) {
  const { parts } = camera;
  const shot = told.shot, judgement = smoothed(told), since = judgement === told.word ? told.since : told.corrosion_since;
  const [word, sign] = WORDS[judgement] || [judgement, ""];
  set(parts.word, word);
  set(parts.sign, sign);
  parts.verdict.className = `verdict ${judgement}`;
  set(parts.since, `since ${stretch(since, state)}`);
  if (told.corrosion && AWAY.includes(told.word)) set(parts.since, `${parts.since.textContent}; corrosion since ${stretch(told.corrosion_since, state)} was not seen to end`);
  showNewest(parts, told, state);
  parts.reason.hidden = !told.reason;
  set(parts.reason, told.reason);
  fill(parts.numbers, numbers(told, state));
  const stale = AWAY.includes(told.word) || !state.healthy;
  parts.figure.classList.toggle("stale", stale);
  camera.said = `${word}, ${moment(shot ? shot.time : told.since)}`;
  if (!state.healthy && !AWAY.includes(told.word)) notKnown(camera, state.runs.backend === "nothing" ? "No verdicts" : "No new frames");
  if (told.word === "away" && shot && shot.label) set(parts.since, `${parts.since.textContent}; last known: ${judged(shot)}, ${moment(shot.time)}`);
  if (shot) showPicture(camera, told, stale);
}

// Of all frames, as the events have it; where nobody can tell, the reason, or that it is open.
function smoothed(told) {
  if (AWAY.includes(told.word)) return told.word;
  if (told.corrosion !== null) return told.corrosion ? "corrosion" : "no-corrosion";
  return ["corrosion", "no-corrosion"].includes(told.word) ? "open" : told.word;
}

function showNewest(parts, told, state) {
  const said = told.corrosion === null && smoothed(told) === told.word;
  const looked = !said && !AWAY.includes(told.word) && told.word !== "starting";
  parts.newest.hidden = !looked;
  if (!looked) return;
  const [word, sign] = WORDS[told.word] || [told.word, ""];
  parts.newest.className = `newest ${told.word}`;
  set(parts["newest-sign"], sign);
  set(parts["newest-word"], `newest frame: ${word.toLowerCase()}, since ${stretch(told.since, state)}`);
}

function stretch(since, state) {
  return `${moment(since)} (${duration(ago(since, state.time))})`;
}

function judged(shot) {
  return WORDS[shot.unsure ? "unsure" : shot.label][0].toLowerCase();
}

function numbers(told, state) {
  const shot = told.shot, counts = told.outcomes, latency = told.latency_s;
  const score = shot && shot.score !== undefined ? shot.score.toFixed(3) : "none for this frame";
  const rows = [[AWAY.includes(told.word) ? "Last score" : "Score", score],
    ["Threshold", `${round(state.about.threshold)}: from there on it is corrosion`]];
  if (state.about.band) rows.push(["Unsure", `${round(state.about.band[0])} to ${round(state.about.band[1])}`]);
  rows.push(["Frames", Object.entries(counts).filter(([, count]) => count)
    .map(([name, count]) => `${count} ${name.replace("-", " ")}`).join(", ") || "none"]);
  rows.push(["Dropped", told.dropped]);
  rows.push(["Camera", `${told.state}, failures: ${told.failures}`, told.failures > 0 && !told.up]);
  rows.push(["Runs on", state.runs.word, standsIn(state.runs)]);
  if (latency) rows.push(["Latency", `p50 ${ms(latency.p50)}, p95 ${ms(latency.p95)}`]);
  return rows;
}

function showPicture(camera, told, stale) {
  const { parts } = camera, shot = told.shot;
  const kind = parts.map.checked ? "map" : "plain";
  const caption = `${stale ? "OLD: " : ""}${moment(shot.time)}, ${shot.size[0]} × ${shot.size[1]}` +
    (stale ? `, ${duration(told.age_s)} ago` : "") + (kind === "map" && shot.score !== undefined && !shot.map ? ", no heat map" : "");
  set(parts.caption, caption);
  const wanted = `/cameras/${encodeURIComponent(camera.name)}/snapshot.jpg?kind=${kind}&serial=${shot.serial}`;
  if (wanted === camera.wanted || camera.loading) return;
  camera.loading = true;
  const next = new Image();
  next.onload = () => {
    camera.loading = false;
    camera.wanted = wanted;
    parts.image.src = next.src;
    parts.image.alt = `${camera.name}: ${WORDS[told.word][0]}${kind === "map" ? ", with heat map" : ""}`;
    parts.image.hidden = false;
    parts.none.hidden = true;
  };
  next.onerror = () => { camera.loading = false; };
  next.src = wanted;
}

async function plot(camera) {
  if (performance.now() - camera.plotted < PLOT_EVERY && camera.plotted) return;
  camera.plotted = performance.now();
  const asked = `/api/scores?camera=${encodeURIComponent(camera.name)}&seconds=${camera.seconds}`;
  drawScores(camera.parts.plot, await ask(asked));
}

async function showEvents(state) {
  const told = await ask(`/api/events?count=${SHOWN_EVENTS}`);
  knownEvents = placeOf(state);
  document.getElementById("no-events").hidden = told.events.length > 0;
  document.getElementById("event-list").replaceChildren(...told.events.map(eventItem));
}

function placeOf(state) {
  return `${state.chain} ${state.events}`;
}

// What was stored while nobody looked, the page closed or without connection: how many, and a way to all of them.
// The browser keeps the place, as this page may be opened only the next morning.
function showMissed(state) {
  const looked = remembered(), away = looked && ago(looked.at, state.time) > LOOKED_AWAY;
  if (!unread && away && (looked.chain !== state.chain || looked.number < state.events)) unread = looked;
  if (!unread && looked && looked.unread) unread = looked.unread;
  const box = document.getElementById("missed");
  box.hidden = !unread;
  remember({ chain: state.chain, number: state.events, at: state.time, unread });
  if (!unread) return;
  const same = unread.chain === state.chain, count = state.events - unread.number;
  set(document.getElementById("missed-word"), same
    ? `${count} event${count > 1 ? "s" : ""} since this page was last looked at, ${moment(unread.at)}`
    : `Another store since this page was last looked at, ${moment(unread.at)}: ${state.events} events in it`);
  document.getElementById("missed-link").href = `/events?after=${same ? unread.number : 0}`;
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem("looked"));
  } catch {
    return null;  // a browser that keeps nothing
  }
}

function remember(place) {
  try {
    localStorage.setItem("looked", JSON.stringify(place));
  } catch { /* likewise */ }
}

function eventItem(event) {
  const item = document.createElement("li");
  const kind = event.pictures.includes("map") ? "map" : event.pictures[0];
  const name = event.title;
  if (kind) {
    const image = document.createElement("img");
    image.loading = "lazy";
    image.alt = `${name}, as it was seen`;
    image.src = `/events/${event.sequence}/${kind}.jpg`;
    item.append(image);
  }
  item.append(element("strong", name));
  const mark = event.corrected_at ? " (corrected)" : event.clock_set === false ? " (clock not set)" : "";
  item.append(element("span", [moment(event.corrected_at || event.at) + mark, event.camera, event.asset].filter(Boolean).join(", ")));
  if (event.peak !== null) item.append(element("span", `peak ${event.peak.toFixed(3)}, mean ${event.mean.toFixed(3)}`));
  if (event.duration_s !== null && event.kind === "corrosion_ended") item.append(element("span", `lasted ${duration(event.duration_s)}`));
  if (event.reason) item.append(element("span", event.reason));
  return item;
}

function showMachine(state) {
  const told = state.machine, flags = told.throttled, full = told.disk_free_bytes < 2e8;
  fill(document.getElementById("machine"), [
    ["Running for", duration(state.uptime_s)],
    ["Last judged", `${duration(state.quiet_s)} ago`, !state.healthy && state.runs.backend !== "nothing"],
    ["Temperature", told.temperature_c === null ? "not known here" : `${told.temperature_c.toFixed(1)} °C`, told.temperature_c >= 80],
    ["Power and heat", flags === null ? "not known here" : flags.join(", ") || "no throttling since boot", flags && flags.length > 0],
    ["Disk", `${(told.disk_free_bytes / 1e9).toFixed(1)} of ${(told.disk_total_bytes / 1e9).toFixed(1)} GB free`, full],
    ["Clock", { true: "synchronised", false: "not synchronised: times may be wrong", null: "not known" }[told.clock_set], told.clock_set === false],
    ["Memory", `${(told.memory_bytes / 1e6).toFixed(0)} MB`],
    ...state.deliveries.map(each => [each.name === "mqtt" ? "MQTT" : capital(each.name), delivered(each, state), each.error !== ""]),
  ]);
}

// What a broker or webhook has not got yet, and why.
function delivered(told, state) {
  const waits = told.waiting ? `${told.waiting} event${told.waiting > 1 ? "s wait" : " waits"}${told.since ? `, the first since ${stretch(told.since, state)}` : ""}` : "";
  if (told.error) return [waits, `${told.error}, since ${stretch(told.failing_since, state)}`].filter(Boolean).join("; ");
  return waits || (told.waiting === null ? "no failure" : "all events delivered");
}

function showRunning(state) {
  const about = state.about, runs = state.runs;
  const rows = [["Model", about.model], ["Its SHA-256", about.model_sha256],
    ["Runs on", runs.word, standsIn(runs)], ["Backend", runs.runs_on, standsIn(runs)]];
  if (runs.accelerator) rows.push(["Accelerator", `${runs.accelerator.name}, failures: ${runs.accelerator.failures}`, !runs.accelerator.up]);
  rows.push(["Threshold", round(about.threshold)], ["Version", about.version]);
  fill(document.getElementById("running"), rows);
}

function standsIn(runs) {
  return runs.stand_in || runs.backend === "nothing";
}

function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function fill(list, rows) {
  const made = rows.flatMap(([name, value, bad]) => {
    const told = element("dd", bad ? `! ${value}` : value);
    if (bad) told.className = "bad";
    return [element("dt", name), told];
  });
  const same = list.children.length === made.length &&
    made.every((each, i) => each.textContent === list.children[i].textContent);
  if (!same) list.replaceChildren(...made);
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function set(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

function ago(since, now) {
  return Math.max(0, (new Date(now) - new Date(since)) / 1000);
}

function ms(seconds) {
  return seconds < 1 ? `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`;
}

for (const camera of cards) {
  camera.parts.map.addEventListener("change", () => { camera.wanted = ""; });
  const buttons = [...camera.card.querySelectorAll("[data-seconds]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      camera.seconds = Number(button.dataset.seconds);
      camera.plotted = 0;
      plot(camera).catch(broken);
    });
  }
}
document.getElementById("missed-seen").addEventListener("click", () => {
  const looked = remembered();
  unread = null;
  document.getElementById("missed").hidden = true;
  if (looked) remember({ ...looked, unread });
});
addEventListener("resize", () => { for (const camera of cards) camera.plotted = 0; });
turn();
