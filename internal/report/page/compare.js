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
    tooltip: tip((p) => `${p.seriesName} ${p.data.id}: ${count(p.value[0])} values, ${m.name} ${fixed(p.value[1], m.digits)}`),
    series: data.runs.map((run, i) => ({
      name: run.name, type: "line", symbolSize: 10, ...look(i), lineStyle: { width: 1, opacity: 0.6 },
      data: run.members.map((f) => ({ value: [f.values, measureIn(run, f)], id: f.id })).filter((p) => p.value[1] != null),
    })),
  });
  fillDetails($("fronts").querySelector("details"), ["run", "id", "values", m.name], () =>
    data.runs.flatMap((run) => run.members.map((f) => [run.name, f.id, f.values, fixed(measureIn(run, f), m.digits)])));
}

function drawHypervolumes() {
  const byTime = state.progress === "seconds";
  chart("progress", {
    legend: legend(),
    xAxis: axis(byTime ? "seconds" : "trainings", { scale: false }),
    yAxis: axis("hypervolume", { nameGap: 46 }),
    tooltip: tip((p) => `${p.seriesName}: ${fixed(p.value[1], 4)}`),
    series: data.runs.map((run, i) => ({
      name: run.name, type: "line", step: "end", ...look(i), showSymbol: run.progress.length < 300, symbolSize: 5,
      data: run.progress.map((p) => [byTime ? p.seconds : p.trainings, p.hypervolume]),
    })),
  });
  fillDetails($("progress").querySelector("details"), ["run", "trainings", "seconds", "hypervolume"], () =>
    data.runs.flatMap((run) => run.progress.map((p) => [run.name, p.trainings, fixed(p.seconds, 1), fixed(p.hypervolume, 4)])));
}

function startComparison() {
  state.measure = data.loss;
  data.run = { name: "comparison" };
  const draw = () => { drawFronts(); drawHypervolumes(); };
  $("choose-measure").value = state.measure;
  $("choose-measure").addEventListener("change", (e) => { state.measure = e.target.value; drawFronts(); });
  $("log").addEventListener("change", (e) => { state.log = e.target.checked; drawFronts(); });
  $("choose-progress").addEventListener("change", (e) => { state.progress = e.target.value; drawHypervolumes(); });
  listenForTheme(draw);
  draw();
}
