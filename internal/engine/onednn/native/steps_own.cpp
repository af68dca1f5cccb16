// The other steps: the project's own kernels on the plan's tensors.
#include <algorithm>
#include <cmath>

#include "plan.h"

using namespace moncae;

void mn_plan::input(const mn_step &s) {
  Shape x = shape(s.y);
  labels.resize(x.n);
  own([=, this] {
    size_t values = x.values() / x.n;
    for (int i = 0; i < x.n; i++) {
      size_t row = batch.rows[i < batch.count ? i : 0];
      if (batch.features) k.features(x, batch.features + row * values, at(s.y), i);
      else k.images(x, batch.images + row * values, at<uint8_t>(s.aux), at(s.y), i);
      if (batch.labels) labels[i] = batch.labels[row];
    }
  });
}

void mn_plan::point(const mn_step &s) {
  Shape in = shape(s.x), out = shape(s.y);
  need_scratch(point_scratch(in.w > out.w ? in : out));
  const float *p = net.params.data(), *gamma = p + s.gamma, *beta = p + s.beta, *mean = p + s.mean, *variance = p + s.variance;
  double *averages = net.averages.data() + (s.mean - int(net.trained)), *spreads = net.averages.data() + (s.variance - int(net.trained));
  int c = in.c;
  const float *bias = s.bias < 0 ? nullptr : p + s.bias; // that x lacks
  Place ones{nullptr, bias && !s.norm ? keep(c * sizeof(float)) : 0};
  own([=, this] {
    const float *scale = nullptr, *shift = nullptr;
    if (bias && !s.norm) {
      std::fill_n(pointer(ones), c, 1.f);
      scale = pointer(ones), shift = bias;
    }
    if (s.norm) {
      // [mean, 1/σ, scale, shift]; the way back needs the first two.
      float *m = at<float>(s.stats), *inverse = m + c, *scales = inverse + c, *shifts = scales + c;
      scale = scales, shift = shifts;
      if (training) k.moments(in.pixels(), c, at(s.x), m, inverse, scratched());
      for (int i = 0; i < c; i++) {
        if (training) {
          averages[i] = .9 * averages[i] + .1 * (bias ? m[i] + bias[i] : m[i]);
          spreads[i] = .9 * spreads[i] + .1 * inverse[i];
        } else
          m[i] = bias ? mean[i] - bias[i] : mean[i], inverse[i] = variance[i];
        inverse[i] = float(1 / std::sqrt(double(inverse[i]) + norm_epsilon));
        scales[i] = gamma[i] * inverse[i];
        shifts[i] = float(beta[i] - double(m[i]) * scales[i]);
      }
    }
    k.forward({in, out, at(s.x), scale, shift, Act(s.act), Resample(s.resample), at(s.y), at<uint8_t>(s.aux), scratched()});
  });
}

void mn_plan::point_grad(const mn_step &s) {
  Shape in = shape(s.dx), out = shape(s.dy);
  need_scratch(point_scratch(in.w > out.w ? in : out));
  int c = in.c;
  own([=, this] {
    Backward b{in, out, at(s.dy), at(s.y), at(s.x), at<uint8_t>(s.aux), Act(s.act), Act(s.before), Resample(s.resample), nullptr, nullptr, nullptr, nullptr, nullptr, at(s.dx), scratched()};
    if (s.norm) {
      b.mean = at<float>(s.stats), b.inverse = b.mean + c, b.gamma = net.params.data() + s.gamma;
      b.dgamma = net.grads.data() + s.gamma, b.dbeta = net.grads.data() + s.beta;
    }
    k.backward(b);
  });
}

void mn_plan::dropout(const mn_step &s) {
  Shape x = shape(s.x);
  need_scratch(x.values() / x.n / sizeof(float) + 16);
  own([=, this] {
    k.dropout(x, {s.seed, uint64_t(net.step), uint32_t(s.layer), float(s.rate), float(1 / (1 - s.rate))}, at(s.x), at(s.y), at<uint8_t>(s.aux), (uint8_t *)scratched());
  });
}

void mn_plan::dropout_grad(const mn_step &s) {
  size_t n = shape(s.dx).values();
  own([=, this] { k.dropout_grad(n, float(1 / (1 - s.rate)), at<uint8_t>(s.aux), at(s.dy), at(s.dx)); });
}

void mn_plan::noise(const mn_step &s) {
  Shape x = shape(s.x);
  need_scratch(x.values() / x.n);
  own([=, this] { k.noise(x, {s.seed, uint64_t(net.step), uint32_t(s.layer), float(s.rate), 1}, at(s.x), at(s.y), scratched()); });
}

void mn_plan::bias_grad(const mn_step &s) {
  Shape dy = shape(s.dy);
  need_scratch(point_scratch(dy));
  own([=, this] { k.sums(dy.pixels(), dy.c, at(s.dy), net.grads.data() + s.bias, scratched()); });
}

void mn_plan::add_tensors(const mn_step &s) {
  size_t n = shape(s.y).values();
  own([=, this] { k.add(n, at(s.x), at(s.x2), at(s.y)); });
}

void mn_plan::widen(const mn_step &s) {
  size_t n = shape(s.y).values();
  own([=, this] { k.widen(n, at(s.x), at<float>(s.y)); });
}

void mn_plan::loss_step(const mn_step &s) {
  Shape z = shape(s.x);
  if (s.loss == loss_blend) {
    need_scratch(blend_scratch(z));
    own([=, this] { loss = k.blend_loss({s.bce, s.mse, s.ssim}, z, at<float>(s.x), at<uint8_t>(s.aux), at(s.dx), (double *)scratched()); });
    return;
  }
  own([=, this] {
    double n = s.loss == loss_cross_entropy ? z.n : double(z.values());
    if (s.loss == loss_cross_entropy) loss = k.class_loss(z.n, z.c, at<float>(s.x), labels.data(), float(1 / n), at(s.dx)) / n;
    else loss = k.pixel_loss(Loss(s.loss), z.values(), at<float>(s.x), at<uint8_t>(s.aux), float(1 / n), at(s.dx)) / n;
  });
}
