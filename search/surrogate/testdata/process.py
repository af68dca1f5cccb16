"""Makes process.json with scikit-learn's Gaussian process: python process.py >process.json"""
import itertools, json
import numpy as np
import sklearn
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel as C, DotProduct, Kernel, Matern, NormalizedKernelMixin, StationaryKernelMixin


class OfFirst(NormalizedKernelMixin, StationaryKernelMixin, Kernel):
    """A kernel that sees the first feature alone."""

    def __init__(self, of):
        self.of = of

    def __call__(self, x, y=None, eval_gradient=False):
        assert not eval_gradient
        return self.of(x[:, :1], None if y is None else y[:, :1])


class Growing(NormalizedKernelMixin, StationaryKernelMixin, Kernel):
    """A kernel whose deviation grows with the first feature."""

    def __init__(self, of):
        self.of = of

    def __call__(self, x, y=None, eval_gradient=False):
        assert not eval_gradient
        return self.of(x, y) * np.outer(growth(x), growth(x if y is None else y))

    def diag(self, x):
        return self.of.diag(x) * growth(x) ** 2


def growth(x):
    return np.exp(0.15 * x[:, 0])


rng = np.random.default_rng(46)
x, new = rng.normal(size=(25, 3)), rng.normal(size=(6, 3))
y = 0.4 * x[:, 0] + np.sin(2 * x[:, 1]) + 0.1 * rng.normal(size=25)
y[7] += 9  # an outlier


def fit(y):
    best = None
    for residual, offset, noise in itertools.product((0.1, 0.2, 0.4), (0.1, 0.2, 0.4, 0.8), (0.05, 0.12, 0.3)):
        kernel = C(1) + Growing(C(0.15**2) * DotProduct(0) * (C(1) + near) + C(residual**2) * Matern(3**0.5, nu=2.5)) + C(offset**2) * near
        model = GaussianProcessRegressor(kernel, alpha=(noise * growth(x)) ** 2, optimizer=None).fit(x, y)
        likelihood = model.log_marginal_likelihood_value_
        if best is None or likelihood > best[0]:
            best = likelihood, (residual, offset, noise), model
    return best[1:]


near = OfFirst(RBF(1))
(_, _, noise), model = fit(y)
left_out = []
for i in range(25):  # the model without one observation, on that one
    others = np.arange(25) != i
    without = GaussianProcessRegressor(model.kernel_, alpha=(noise * growth(x[others])) ** 2, optimizer=None).fit(x[others], y[others])
    m, d = without.predict(x[i : i + 1], return_std=True)
    left_out.append(m[0] + 2 * np.hypot(d[0], noise * growth(x[i : i + 1])[0]))
pulled = np.minimum(y, left_out)
chosen, model = fit(pulled)
mean, deviation = model.predict(new, return_std=True)
print(json.dumps({"sklearn": sklearn.__version__, "x": x.tolist(), "y": y.tolist(), "new": new.tolist(), "pulled": int((pulled < y).sum()),
                  "chosen": chosen, "mean": mean.tolist(), "deviation": deviation.tolist()}, indent=1))
