// The plots. Each is an option for ECharts made from data and state; a plot has a
// table behind it, and can be saved as PNG or SVG.

const charts = new Map();

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// chart draws an option into the figure with the given id.
function chart(id, option) {
  const at = $(id).querySelector(".plot");
  let c = charts.get(id);
  if (!c) {
    c = echarts.init(at, null, { renderer: "canvas" });
    charts.set(id, c);
    new ResizeObserver(() => c.resize()).observe(at);
    for (const format of ["png", "svg"]) {
      $(id).querySelector(`[data-save=${format}]`)?.addEventListener("click", () => save(id, format));
    }
  }
  c.setOption({ ...base(), ...option }, { notMerge: true });
  return c;
}

function base() {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { color: color("--ink"), fontFamily: "system-ui, sans-serif" },
    grid: { left: 64, right: 24, top: 40, bottom: 52 },
    tooltip: tip(),
  };
}

// tip draws its text into the plot: markup would need styles that the page's
// policy forbids, and could carry names as markup.
const tip = (formatter) => ({
  trigger: "item", renderMode: "richText", confine: true, transitionDuration: 0, formatter,
  backgroundColor: color("--paper"), borderColor: color("--line"),
  textStyle: { color: color("--ink"), fontSize: 13 },
});

const axis = (name, more = {}) => ({
  type: "value", name, nameLocation: "middle", nameGap: 34, scale: true,
  nameTextStyle: { color: color("--faint") },
  axisLine: { show: true, lineStyle: { color: color("--line") } },
  axisLabel: { color: color("--faint"), hideOverlap: true },
  splitLine: { lineStyle: { color: color("--grid") } },
  ...more,
});

const legend = () => ({ top: 0, left: 0, textStyle: { color: color("--ink") }, itemHeight: 10, inactiveColor: color("--faint") });

function save(id, format) {
  const c = charts.get(id);
  const name = `${data.run.name}-${id}.${format}`;
  if (format === "png") {
    const image = c.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: color("--paper") });
    const bytes = Uint8Array.from(atob(image.split(",")[1]), (b) => b.charCodeAt(0));
    return download(name, "image/png", new Blob([bytes], { type: "image/png" }));
  }
  const drawing = echarts.init(null, null, { renderer: "svg", ssr: true, width: c.getWidth(), height: c.getHeight() });
  drawing.setOption({ ...c.getOption(), backgroundColor: color("--paper") });
  download(name, "image/svg+xml", drawing.renderToSVGString());
  drawing.dispose();
}

// describe is what a plot says of a training under the pointer.
function describe(t) {
  const f = figuresOf(t);
  const p = pcaAt(t.values);
  const lines = [
    `${t.id}   latent ${shape(t.latent)} = ${countValues(t.values)} (${fixed(data.run.values / t.values, 1)}×)`,
    `BCE ${fixed(f.bce, 4)}   excess ${fixed(f.bce - data.floor, 4)}   MSE ${fixed(f.mse, 5)}`,
    `PSNR ${fixed(valueOf(f, "psnr"), 1)} dB   SSIM ${fixed(f.ssim, 3)}`,
  ];
  if (p) lines.push(`PCA: BCE ${fixed(p.bce, 4)}   PSNR ${fixed(valueOf(p, "psnr"), 1)} dB   SSIM ${fixed(p.ssim, 3)}`);
  lines.push(`${count(t.params)} parameters   ${count(t.flops)} multiply-adds`);
  lines.push(`${t.recipe.optimizer}, ${t.recipe.schedule}, ${t.recipe.learning_rate.toPrecision(2)}   ${t.epochs} epochs`);
  return lines.join("\n");
}

function drawFront() {
  const m = measures[state.measure];
  const members = memberRows();
  const isMember = new Set(members.map((t) => t.id));
  const point = (t) => ({ value: [t.values, valueOf(figuresOf(t))], id: t.id });
  const shown = (t) => t.search && positive(valueOf(figuresOf(t)));
  const lines = [];
  if (m.floor && positive(m.floor(data))) lines.push({ name: "entropy floor", yAxis: m.floor(data) });
  const mean = valueOf(data.mean);
  if (mean != null && positive(mean)) lines.push({ name: "mean image", yAxis: mean });
  const pca = data.pca.filter((p) => positive(valueOf(p)));
  const series = [
    { name: "trainings", type: "scatter", symbolSize: 6, itemStyle: { color: color("--other"), opacity: 0.55 },
      data: data.trainings.filter((t) => shown(t) && !isMember.has(t.id)).map(point) },
    { name: "PCA", type: "line", symbol: "diamond", symbolSize: 8, lineStyle: { type: "dashed" }, color: color("--pca"),
      data: pca.map((p) => ({ value: [p.values, valueOf(p)] })) },
    { name: "front", type: "scatter", symbolSize: (_, p) => (p.data.id === state.selected ? 19 : 12), color: color("--accent"), z: 5,
      label: { show: true, position: "top", formatter: (p) => p.data.id, color: color("--ink"), fontSize: 11 },
      labelLayout: { hideOverlap: true },
      data: members.filter((t) => positive(valueOf(t.figures))).map((t) => ({
        ...point(t), itemStyle: t.values > state.maxValues ? { opacity: 0.25 } : {} })),
      markLine: { silent: true, symbol: "none", lineStyle: { color: color("--faint"), type: "dotted" },
        label: { formatter: "{b}", position: "insideStartTop", color: color("--faint") }, data: lines } },
  ];
  const chosen = byID.get(state.selected);
  if (chosen && !isMember.has(chosen.id) && shown(chosen)) {
    series.push({ name: "chosen", type: "scatter", symbolSize: 14, color: color("--accent2"), z: 6, data: [point(chosen)] });
  }
  if (state.preference) {
    series.push({ name: "preference", type: "scatter", symbol: "pin", symbolSize: 26, color: color("--accent2"), z: 6,
      data: [{ value: [state.preference.values, state.preference.value] }] });
  }
  const c = chart("front", {
    legend: legend(),
    grid: { left: 72, right: 24, top: 40, bottom: 52 },
    xAxis: axis("values of the latent (logarithmic): further left is smaller", { type: "log", max: data.run.values }),
    yAxis: axis(m.name, { type: state.log ? "log" : "value", nameGap: 54 }),
    tooltip: tip((p) => {
      if (p.data?.id) return describe(byID.get(p.data.id));
      if (p.seriesName === "PCA") return `PCA, ${count(p.value[0])} values: ${fixed(p.value[1], m.digits)}`;
      return p.seriesName === "preference" ? "what is wanted" : p.name;
    }),
    series,
  });
  if (!c.listening) {
    c.listening = true;
    c.on("click", (p) => p.data?.id && select(p.data.id));
    c.getZr().on("click", (e) => {
      if (e.target || !c.containPixel("grid", [e.offsetX, e.offsetY])) return;
      const [values, value] = c.convertFromPixel("grid", [e.offsetX, e.offsetY]);
      prefer({ values: Math.max(1, Math.round(values)), value });
    });
  }
  fillDetails($("front").querySelector("details"), ["id", "values", m.name, "PCA", "on the front"], () =>
    data.trainings.filter((t) => t.search).map((t) => [t.id, t.values, fixed(valueOf(figuresOf(t)), m.digits),
      fixed(valueOf(pcaAt(t.values)), m.digits), isMember.has(t.id) ? "yes" : "no"]));
}

// positive tells what a logarithmic axis can show.
const positive = (v) => v != null && (!state.log || v > 0);

function drawProgress() {
  const byTime = state.progress === "seconds";
  const of = (p) => (byTime ? p.seconds : p.trainings);
  const search = data.progress.filter((p) => !p.finetuned);
  const finetuned = data.progress.filter((p) => p.finetuned);
  const points = (list) => list.map((p) => ({ value: [of(p), p.hypervolume], p }));
  chart("progress", {
    legend: legend(),
    xAxis: axis(byTime ? "seconds" : "trainings", { scale: false }),
    yAxis: axis("hypervolume", { nameGap: 46 }),
    tooltip: tip((p) => `${p.seriesName}: hypervolume ${fixed(p.value[1], 4)} after ${count(p.data.p.trainings)} trainings, ${duration(p.data.p.seconds)}`),
    series: [
      { name: "search", type: "line", step: "end", symbolSize: 5, showSymbol: search.length < 300, color: color("--accent"), data: points(search) },
      { name: "finetuning", type: "line", symbolSize: 8, color: color("--accent2"), lineStyle: { type: "dashed" },
        data: finetuned.length ? points([...search.slice(-1), ...finetuned]) : [] },
    ],
  });
  fillDetails($("progress").querySelector("details"), ["trainings", "seconds", "hypervolume", "phase"], () =>
    data.progress.map((p) => [p.trainings, fixed(p.seconds, 1), fixed(p.hypervolume, 4), p.finetuned ? "finetuning" : "search"]));
}

function drawParallel() {
  const columns = [
    ...data.genes.map((g) => ({ ...g, of: (t) => t.genes[g.name] })),
    { name: "values", log: true, of: (t) => t.values },
    { name: "parameters", log: true, of: (t) => t.params },
    { name: measures[state.measure].name.split(",")[0], of: (t) => valueOf(figuresOf(t)) },
  ];
  const isMember = new Set(data.members.map((m) => m.id));
  const rows = data.trainings.filter((t) => t.search);
  const line = (t) => ({ value: columns.map((c) => c.of(t) ?? "–"), id: t.id });
  const parallelAxis = columns.map((c, dim) => ({
    dim, name: c.name, type: c.categories ? "category" : c.log ? "log" : "value", data: c.categories, scale: true,
    nameTextStyle: { color: color("--ink"), fontSize: 11 }, nameRotate: 0, axisLabel: { color: color("--faint"), fontSize: 10, hideOverlap: true },
    axisLine: { lineStyle: { color: color("--line") } },
  }));
  const c = chart("genes", {
    legend: legend(),
    parallel: { left: 40, right: 60, top: 64, bottom: 24, parallelAxisDefault: { areaSelectStyle: { color: color("--accent") } } },
    parallelAxis,
    tooltip: tip((p) => (p.data?.id ? describe(byID.get(p.data.id)) : "")),
    series: [
      { name: "trainings", type: "parallel", lineStyle: { color: color("--other"), opacity: 0.25, width: 1 }, progressive: 500,
        data: rows.filter((t) => !isMember.has(t.id)).map(line) },
      { name: "front", type: "parallel", lineStyle: { color: color("--accent"), opacity: 0.9, width: 2 },
        data: rows.filter((t) => isMember.has(t.id)).map(line) },
    ],
  });
  if (!c.listening) {
    c.listening = true;
    c.on("click", (p) => p.data?.id && select(p.data.id));
  }
  fillDetails($("genes").querySelector("details"), ["id", ...columns.map((k) => k.name)], () =>
    rows.map((t) => [t.id, ...line(t).value.map((v) => (typeof v === "number" && !Number.isInteger(v) ? v.toPrecision(4) : v))]));
}

// drawCurves draws learning curves: the front's, and that of the chosen training.
function drawCurves() {
  const ids = data.members.map((m) => m.id);
  if (state.selected && !ids.includes(state.selected)) ids.push(state.selected);
  const list = ids.map((id) => byID.get(id)).filter((t) => t?.curve?.length);
  chart("curves", curvesOption(list, state.selected));
  fillDetails($("curves").querySelector("details"), ["id", "epoch", "training loss", "validation loss"], () =>
    list.flatMap((t) => t.curve.map((e, i) => [t.id, i + 1, fixed(e[0], 5), fixed(e[1], 5)])));
}

function curvesOption(list, chosen) {
  return {
    xAxis: axis("epoch (finetuning included)", { minInterval: 1 }),
    yAxis: axis(`validation ${data.run.loss.toUpperCase()}`, { nameGap: 54, type: state.log ? "log" : "value" }),
    grid: { left: 72, right: 64, top: 16, bottom: 52 },
    tooltip: tip((p) => `${p.seriesName}, epoch ${p.value[0]}: ${fixed(p.value[1], 5)}`),
    series: list.map((t) => ({
      name: t.id, type: "line", symbolSize: 5, color: t.id === chosen ? color("--accent2") : color("--accent"),
      lineStyle: { opacity: !chosen || t.id === chosen ? 1 : 0.35, width: t.id === chosen ? 3 : 1.5 }, z: t.id === chosen ? 5 : 2,
      endLabel: { show: list.length < 15, formatter: "{a}", color: color("--ink"), fontSize: 10 }, labelLayout: { moveOverlap: "shiftY" },
      data: t.curve.map((e, i) => [i + 1, e[1]]),
    })),
  };
}

function drawFailures() {
  const causes = new Map();
  for (const t of data.trainings) {
    if (t.search || !t.cause) continue;
    const key = `${t.refused ? "refused" : "failed"}: ${t.cause}`;
    causes.set(key, [...(causes.get(key) ?? []), t.id]);
  }
  const list = [...causes].sort((a, b) => b[1].length - a[1].length);
  $("failures").hidden = !list.length;
  $("causes").replaceChildren(...list.map(([cause, ids]) =>
    element("tr", {}, element("td", {}, cause), element("td", {}, String(ids.length)),
      element("td", { class: "ids" }, ids.slice(0, 12).join(" ") + (ids.length > 12 ? " …" : "")))));
}

function drawAll() {
  drawFront();
  drawProgress();
  drawParallel();
  drawCurves();
  drawFailures();
}
