"""Writes answers of scikit-learn 1.9 and statsmodels 0.15 that Go tests compare with: score.json
beside this file, and those of the packages head and pca into their testdata.
"""
import json
import pathlib
import warnings

import numpy as np
import sklearn
import statsmodels
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

warnings.simplefilter("ignore")
rng = np.random.default_rng(12)


def blobs(rows, values, classes):
    """Overlapping classes with correlated values of unequal scale."""
    y = rng.integers(0, classes, rows)
    centres = rng.normal(0, 1.2, (classes, values))
    x = centres[y] + rng.normal(0, 1, (rows, values))
    return (x @ rng.normal(0, 1, (values, values))).astype(np.float32), y


def flat(a):
    return [float(v) for v in np.ravel(a)]


x, y = blobs(240, 6, 4)
model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10000).fit(x, y)
p = model.predict_proba(x)
logistic = {
    "x": flat(x), "y": y.tolist(), "weight": flat(model.coef_), "bias": flat(model.intercept_),
    "logits": flat(model.decision_function(x).astype(np.float32)), "loss": log_loss(y, p),
}
said = model.predict(x)
precision, recall, _, support = precision_recall_fscore_support(y, said)
score = {
    "accuracy": float((said == y).mean()), "confusion": confusion_matrix(y, said).tolist(),
    "precision": flat(precision), "recall": flat(recall), "support": support.tolist(),
}
wilson = [
    {"hits": h, "rows": n, "interval": list(proportion_confint(h, n, 0.05, "wilson"))}
    for h, n in [(0, 7), (7, 7), (1, 2), (81, 263), (9712, 10000)]
]
pairs = [
    {"only_this": b, "only_other": c, "p": float(mcnemar([[0, b], [c, 0]], exact=True).pvalue)}
    for b, c in [(0, 0), (5, 1), (3, 3), (0, 9), (210, 260)]
]
images = blobs(90, 36, 3)[0]
images = np.clip(128 + 40 * images / images.std(0) * np.linspace(2, 0.05, 36), 0, 255).astype(np.uint8)
pca = PCA(n_components=4, svd_solver="full").fit(images / 255)

here = pathlib.Path(__file__).parent
versions = {"scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__}
for path, answers in {
    "score.json": {
        "logits": logistic.pop("logits"), "y": logistic["y"], "loss": logistic.pop("loss"),
        "score": score, "wilson": wilson, "mcnemar": pairs,
    },
    "../../head/testdata/logistic.json": logistic,
    "../../pca/testdata/pca.json": {
        "images": images.ravel().tolist(), "values": 36, "variance": flat(pca.explained_variance_),
        "codes": flat(pca.transform(images / 255)),
    },
}.items():
    (here / path).write_text(json.dumps({"versions": versions, **answers}))
