// Activations over flat arrays; arithmetic is float32.

template <Act A> static inline float act1(float z) {
  switch (A) {
  case act_relu: return z < 0 ? 0 : z; // not a number stays that
  case act_sigmoid: return sigmoid_(z);
  case act_leaky: return z > 0 ? z : leaky_slope * z;
  case act_elu: return z > 0 ? z : exp_(z) - 1;
  case act_silu: return z * sigmoid_(z);
  default: return z;
  }
}

// slope1 is the derivative from y = act(z), for SiLU from z.
template <Act A> static inline float slope1(float y) {
  switch (A) {
  case act_relu: return y > 0 ? 1 : 0;
  case act_sigmoid: return y * (1 - y);
  case act_leaky: return y > 0 ? 1 : leaky_slope;
  case act_elu: return y > 0 ? 1 : y + 1;
  case act_silu: {
    float s = sigmoid_(y);
    return s * (1 + y * (1 - s));
  }
  default: return 1;
  }
}

template <Act A> struct ActOf { static constexpr Act value = A; };
template <class F> void byact(Act a, F f) {
  switch (a) {
  case act_relu: return f(ActOf<act_relu>());
  case act_sigmoid: return f(ActOf<act_sigmoid>());
  case act_leaky: return f(ActOf<act_leaky>());
  case act_elu: return f(ActOf<act_elu>());
  case act_silu: return f(ActOf<act_silu>());
  default: f(ActOf<act_none>());
  }
}

// y[i] = act(z(i)). ELU has loops of its own for what lies below 0: gcc makes a
// branch of its choice, and no vectors.
template <Act A, class Z, class Y> [[gnu::always_inline]] static inline void each_act(size_t n, Z z, Y *y) {
  if constexpr (A != act_elu) {
    EACH(i, n) y[i] = act1<A>(z(i));
    return;
  }
  constexpr size_t block = 256;
  float above[block], below[block];
  for (size_t o = 0; o < n; o += block) {
    size_t m = least(block, n - o);
    EACH(i, m) above[i] = z(o + i);
    EACH(i, m) below[i] = exp_(above[i]) - 1;
    EACH(i, m) y[o + i] = above[i] > 0 ? above[i] : below[i];
  }
}

// y = act(x); both may be one array.
template <class X, class Y> KERNEL void activate(Act a, size_t n, const X *x, Y *y) {
  byact(a, [=](auto A) { each_act<A.value>(n, [=](size_t i) { return float(x[i]); }, y); });
}
template <class Y> void activation(Act a, size_t n, const float *x, void *y) { activate(a, n, x, (Y *)y); }
// dx = dy·act'; y is act's output, for SiLU its input. dx may be dy.
template <class Y, class D, class X> KERNEL void slope(Act a, size_t n, const Y *y, const D *dy, X *dx) {
  byact(a, [=](auto A) { EACH(i, n) dx[i] = float(dy[i]) * slope1<A.value>(y[i]); });
}
// y = act(x·s + h), s and h repeated from the start of x on.
template <class X, class Y> KERNEL void affine(Act a, size_t n, const X *x, const float *s, const float *h, Y *y) {
  byact(a, [=](auto A) { each_act<A.value>(n, [=](size_t i) { return float(x[i]) * s[i] + h[i]; }, y); });
}
