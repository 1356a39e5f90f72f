"use strict";
// Scores over time as SVG: the mean as a line, lowest to highest as an area, the threshold dashed.

function drawScores(place, data) {
  const wide = Math.max(280, Math.round(place.clientWidth || 600));
  const high = wide < 500 ? 180 : 220;
  const box = { left: 38, right: wide - 8, top: 10, bottom: high - 24 };
  const x = at => box.right - (data.now - at) / data.seconds * (box.right - box.left);
  const y = value => box.bottom - value * (box.bottom - box.top);
  const svg = make("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img" });
  const title = make("title", {});
  title.textContent = describe(data);
  svg.append(title);
  for (const value of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(make("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }));
    svg.append(words(value.toFixed(2), box.left - 6, y(value) + 4, "end"));
  }
  for (const at of marksOfTime(data, wide)) {
    svg.append(make("line", { class: "grid", x1: x(at), x2: x(at), y1: box.top, y2: box.bottom }));
    svg.append(words(clock(at), x(at), high - 6, "middle"));
  }
  for (const run of runs(data)) drawRun(svg, data, run, x, y);
  svg.append(make("line", { class: "mark", x1: box.left, x2: box.right, y1: y(data.threshold), y2: y(data.threshold) }));
  const low = data.threshold < 0.9;
  const name = words(`threshold ${round(data.threshold)}`, box.left + 6, y(data.threshold) + (low ? -6 : 16), "start");
  name.setAttribute("class", "mark-name");
  svg.append(name);
  place.replaceChildren(svg);
}

function drawRun(svg, data, run, x, y) {
  if (run.length === 1) {
    svg.append(make("circle", { class: "dot", cx: x(data.at[run[0]]), cy: y(data.mean[run[0]]), r: 2.5 }));
    return;
  }
  const along = values => run.map(i => `${x(data.at[i]).toFixed(1)},${y(values[i]).toFixed(1)}`);
  const area = along(data.high).concat(along(data.low).reverse());
  svg.append(make("polygon", { class: "range", points: area.join(" ") }));
  svg.append(make("polyline", { class: "line", points: along(data.mean).join(" ") }));
}

// What was not seen is not drawn: stretches further apart than three times the usual are not joined.
function runs(data) {
  const steps = data.at.slice(1).map((at, i) => at - data.at[i]).sort((a, b) => a - b);
  const gap = 3 * (steps[Math.floor(steps.length / 2)] || data.seconds / 360);
  const found = [];
  data.at.forEach((at, i) => {
    if (found.length && at - data.at[i - 1] <= gap) found[found.length - 1].push(i);
    else found.push([i]);
  });
  return found;
}

function marksOfTime(data, wide) {
  const step = [60, 120, 300, 600, 1200, 1800, 3600, 7200].find(s => data.seconds / s <= wide / 75) || 7200;
  const zone = new Date().getTimezoneOffset() * 60;
  const marks = [];
  for (let at = Math.ceil((data.now - data.seconds - zone) / step) * step + zone; at < data.now; at += step) {
    if (at > data.now - data.seconds * 0.96 && at < data.now - data.seconds * 0.03) marks.push(at);
  }
  return marks;
}

function describe(data) {
  if (!data.at.length) return "Score over time: nothing judged in this time.";
  const last = data.mean[data.mean.length - 1];
  return `Score over time: last ${round(last)}, lowest ${round(Math.min(...data.low))}, ` +
    `highest ${round(Math.max(...data.high))}, threshold ${round(data.threshold)}.`;
}

function round(value) {
  return String(Math.round(value * 1000) / 1000);
}

function clock(at) {
  return new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function make(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function words(text, x, y, anchor) {
  const made = make("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}
