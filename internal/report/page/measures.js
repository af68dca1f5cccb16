// What can stand on an axis: how it is read from a training, from PCA and from
// the mean image, and which way is better.

const psnrOf = (mse) => (mse > 0 ? -10 * Math.log10(mse) : null);

const measures = {
  bce: { name: "BCE, nats a value", digits: 4, of: (f) => f.bce, floor: (d) => d.floor, better: -1 },
  excess: { name: "excess BCE over the floor, nats a value", digits: 4, of: (f, d) => f.bce - d.floor, better: -1 },
  mse: { name: "MSE", digits: 5, of: (f) => f.mse, better: -1 },
  psnr: { name: "PSNR, dB", digits: 2, of: (f) => f.psnr ?? psnrOf(f.mse), better: 1 },
  ssim: { name: "SSIM", digits: 3, of: (f) => f.ssim, better: 1 },
};

// measureOf is the measure nearest to what trainings minimised: losses may be sums,
// and a loss of structural similarity has other windows than the figure.
const measureOf = (loss) => (loss in measures ? loss : loss.includes("ssim") ? "ssim" : "bce");

// figuresOf are a training's figures: after finetuning, or those of the search.
const figuresOf = (t) => (state.stage === "search" ? t.search : t.final ?? t.search);

// valueOf is the chosen measure of some figures; null where they have none.
function valueOf(figures, measure = state.measure) {
  if (!figures) return null;
  const v = measures[measure].of(figures, data);
  return v == null || !isFinite(v) ? null : v;
}

// rank orders the members by how far each is from what is wanted: the largest
// distance over size and the chosen measure, each in units of the members' range
// (an achievement function of Wierzbicki's kind). What is wanted is the
// preference point, or the best of each. Members over the bound have no rank.
function rank(members) {
  const points = members.map((m) => [Math.log10(m.values), -measures[state.measure].better * (valueOf(m.figures) ?? NaN)]);
  const able = members.map((m, i) => m.values <= state.maxValues && isFinite(points[i][1]));
  const ranks = new Map();
  const kept = points.filter((_, i) => able[i]);
  if (!kept.length) return ranks;
  const least = [0, 1].map((k) => Math.min(...kept.map((p) => p[k])));
  const range = [0, 1].map((k) => Math.max(...kept.map((p) => p[k])) - least[k] || 1);
  const p = state.preference;
  const wanted = p ? [Math.log10(p.values), -measures[state.measure].better * p.value] : least;
  const score = (q) => {
    const far = [0, 1].map((k) => (q[k] - wanted[k]) / range[k]);
    return Math.max(...far) + 0.001 * (far[0] + far[1]);
  };
  members
    .map((m, i) => ({ id: m.id, score: score(points[i]), able: able[i] }))
    .filter((m) => m.able)
    .sort((a, b) => a.score - b.score)
    .forEach((m, i) => ranks.set(m.id, i + 1));
  return ranks;
}

// searchFlags make the next search look where the slider and the point are.
function searchFlags() {
  const flags = [];
  const objectives = data.run.objectives;
  const loc = (values) => (Math.ceil(Math.log10(values) * 1e4) / 1e4).toString();
  if (state.maxValues < largest()) flags.push(`--bound 'loc<=${loc(state.maxValues)}'`);
  const p = state.preference;
  if (p && ["bce", "mse"].includes(data.run.loss) && state.measure === data.run.loss && objectives.includes("loss") && objectives.includes("loc")) {
    const reference = objectives.map((o, i) =>
      o === "loss" ? p.value.toPrecision(4) : o === "loc" ? loc(p.values) : data.run.reference[i]);
    flags.push(`--objectives ${objectives.join(",")} --reference ${reference.join(",")}`);
  }
  return flags.join(" ");
}

const largest = () => Math.max(1, ...memberRows().map((m) => m.values));

// memberRows are the members with the figures that are shown.
function memberRows() {
  return data.members.map((m) => {
    const t = byID.get(m.id);
    return { ...t, panel: m, figures: figuresOf(t), pca: pcaAt(t.values) };
  });
}

const pcaAt = (values) => data.pca.find((p) => p.values === values) ?? null;
