// The page of several runs: their fronts and their hypervolumes, a colour and a
// symbol a run.

const runColors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8f00", "#7b8892"];
const runSymbols = ["circle", "rect", "triangle", "diamond", "pin", "arrow", "roundRect", "circle"];
const look = (i) => ({ color: runColors[i % runColors.length], symbol: runSymbols[i % runSymbols.length] });

// figuresIn makes a run's floor the one that excess is held against.
const measureIn = (run, f) => {
  const v = measures[state.measure].of(f, run);
  return v == null || !isFinite(v) || (state.log && v <= 0) ? null : v;
};

function drawFronts() {
  const m = measures[state.measure];
  chart("fronts", {
    legend: legend(),
    grid: { left: 72, right: 24, top: 40, bottom: 52 },
    xAxis: axis("values of the latent (logarithmic)", { type: "log" }),
    yAxis: axis(m.name, { type: state.log ? "log" : "value", nameGap: 54 }),
    tooltip: tip((p) => `${p.seriesName} ${p.data.id}: ${countValues(p.value[0])}, ${m.name} ${fixed(p.value[1], m.digits)}`),
    series: data.runs.map((run, i) => ({
      name: run.name, type: "line", symbolSize: 10, ...look(i), lineStyle: { width: 1, opacity: 0.6 },
      data: run.members.map((f) => ({ value: [f.values, measureIn(run, f)], id: f.id })).filter((p) => p.value[1] != null),
    })),
  });
  fillDetails($("fronts").querySelector("details"), ["run", "id", "values", m.name], () =>
    data.runs.flatMap((run) => run.members.map((f) => [run.name, f.id, f.values, fixed(measureIn(run, f), m.digits)])));
}

const spentNames = { trainings: "trainings", steps: "training steps", seconds: "seconds" };

function drawHypervolumes() {
  const spent = state.progress;
  const curve = (run) => run.curves[spent] ?? [];
  chart("progress", {
    legend: legend(),
    xAxis: axis(spentNames[spent], { scale: false }),
    yAxis: axis("hypervolume", { nameGap: 46 }),
    tooltip: tip((p) => `${p.seriesName}: ${fixed(p.value[1], 4)} after ${fixed(p.value[0], spent === "seconds" ? 1 : 0)} ${spentNames[spent]}`),
    series: data.runs.map((run, i) => ({
      name: run.name, type: "line", step: "end", ...look(i), showSymbol: curve(run).length < 300, symbolSize: 5, data: curve(run),
    })),
  });
  fillDetails($("progress").querySelector("details"), ["run", spentNames[spent], "hypervolume"], () =>
    data.runs.flatMap((run) => curve(run).map(([at, v]) => [run.name, fixed(at, spent === "seconds" ? 1 : 0), fixed(v, 4)])));
}

// Sizes are shown as numbers of values where they are LOC.
function drawAttained() {
  const { first, second, groups } = data.attained;
  $("attained").hidden = !groups.length;
  if (!groups.length) return;
  const bySize = second === "loc";
  const size = (y) => (bySize ? Math.round(10 ** y) : y);
  const name = bySize ? "at most so many values" : second;
  const largest = Math.max(...groups.flatMap((g) => g.points.map((p) => size(p[1]))));
  const label = (g) => `${g.name} (${g.runs})`;
  chart("attained", {
    legend: legend(),
    grid: { left: 72, right: 24, top: 40, bottom: 52 },
    xAxis: axis(bySize ? `${name} (logarithmic)` : name, { type: bySize ? "log" : "value" }),
    yAxis: axis(first, { nameGap: 54 }),
    tooltip: tip((p) => `${p.seriesName}: ${first} ${fixed(p.value[1], 4)} with ${name === second ? second : "at most"} ${count(p.value[0])}${bySize ? " values" : ""}`),
    series: groups.map((g, i) => ({
      name: label(g), type: "line", step: "end", ...look(i), symbolSize: 6,
      data: [...g.points.map(([x, y]) => [size(y), x]), [largest, g.points.at(-1)[0]]],
    })),
  });
  fillDetails($("attained").querySelector("details"), ["group", bySize ? "values" : second, first], () =>
    groups.flatMap((g) => g.points.map(([x, y]) => [label(g), count(size(y)), fixed(x, 4)])));
}

function startComparison() {
  state.measure = measureOf(data.loss);
  data.run = { name: "comparison" };
  const draw = () => { drawFronts(); drawHypervolumes(); drawAttained(); };
  $("choose-measure").value = state.measure;
  $("choose-measure").addEventListener("change", (e) => { state.measure = e.target.value; drawFronts(); });
  $("log").addEventListener("change", (e) => { state.log = e.target.checked; drawFronts(); });
  $("choose-progress").addEventListener("change", (e) => { state.progress = e.target.value; drawHypervolumes(); });
  listenForTheme(draw);
  draw();
}
