// The page's state, and what changes it.

let data = JSON.parse($("data").textContent);
let byID = new Map();

const state = {
  measure: "bce", stage: "final", log: false, progress: "trainings",
  maxValues: Infinity, preference: null, selected: null, sort: { key: "rank", down: 1 },
};

function select(id) {
  const before = state.selected;
  state.selected = id;
  document.querySelector("main").classList.toggle("with-panel", id != null);
  drawPanel();
  drawFront();
  drawCurves();
  drawTable();
  if (id) $("panel").focus({ preventScroll: innerWidth > 1100 });
  else if (before) document.querySelector(`tr[data-id="${CSS.escape(before)}"] button`)?.focus({ preventScroll: true });
  history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname + location.search);
}

function prefer(point) {
  state.preference = point;
  state.sort = { key: "rank", down: 1 };
  $("want-values").value = point ? point.values : "";
  $("want-value").value = point ? Number(point.value.toPrecision(4)) : "";
  rerank();
}

function rerank() {
  drawFront();
  drawTable();
  const flags = searchFlags();
  $("flags").replaceChildren(...(flags ? [element("p", { class: "note" }, "Flags for a search that looks there:"), commandLine(flags)] : []));
  $("clear").hidden = !state.preference;
}

// The slider moves by the members' sizes.
function sizes() {
  return [...new Set(memberRows().map((m) => m.values))].sort((a, b) => a - b);
}

function drawSlider() {
  const all = sizes();
  const slider = $("bound");
  const last = state.maxValues === Infinity;
  slider.max = Math.max(0, all.length - 1);
  slider.value = last ? slider.max : Math.max(0, all.findLastIndex((v) => v <= state.maxValues));
  showBound();
}

function showBound() {
  const all = sizes();
  const at = Number($("bound").value);
  state.maxValues = at >= all.length - 1 ? Infinity : all[at];
  const text = state.maxValues === Infinity ? "any size" : `at most ${count(state.maxValues)} values`;
  $("bound-text").textContent = text;
  $("bound").setAttribute("aria-valuetext", text);
}

function readWanted() {
  const [values, value] = [Number($("want-values").value), Number($("want-value").value)];
  if (values > 0 && $("want-value").value !== "" && isFinite(value)) prefer({ values, value });
}

function listen() {
  const redraw = { measure: (v) => { state.measure = v; state.preference = null; }, stage: (v) => (state.stage = v), progress: (v) => (state.progress = v) };
  for (const [id, set] of Object.entries(redraw)) {
    $(`choose-${id}`).value = state[id];
    $(`choose-${id}`).addEventListener("change", (e) => { set(e.target.value); drawAll(); rerank(); drawPanel(); });
  }
  $("log").addEventListener("change", (e) => { state.log = e.target.checked; drawAll(); });
  $("bound").addEventListener("input", () => { showBound(); rerank(); });
  $("want-values").addEventListener("change", readWanted);
  $("want-value").addEventListener("change", readWanted);
  $("clear").addEventListener("click", () => prefer(null));
  $("filter").addEventListener("input", drawTable);
  $("all").addEventListener("change", drawTable);
  $("save-table").addEventListener("click", saveTable);
  document.addEventListener("keydown", (e) => e.key === "Escape" && state.selected && select(null));
  listenForTheme(() => { drawAll(); drawPanel(); });
}

function listenForTheme(draw) {
  $("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

// show takes new data, for a run that goes on.
function show(next) {
  data = next;
  byID = new Map(data.trainings.map((t) => [t.id, t]));
  $("subtitle").textContent = data.run.subtitle;
  drawSlider();
  drawAll();
  rerank();
  if (state.selected) drawPanel();
}

function startRun() {
  byID = new Map(data.trainings.map((t) => [t.id, t]));
  state.measure = measureOf(data.run.loss);
  listen();
  drawSlider();
  drawAll();
  rerank();
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (byID.has(wanted)) select(wanted);
  if (document.body.dataset.events) follow(document.body.dataset.events);
}

document.documentElement.classList.add("scripted");
if (document.body.dataset.page === "comparison") startComparison();
else startRun();
