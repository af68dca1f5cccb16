// Convolutions with one to three channels on a side, by the project's own kernels.
#include "few.h"
#include "plan.h"

using namespace moncae;

namespace moncae {

// to[(row·k + column)·few + f][many, padded to lanes] for the few → many kernel.
void pack_few_to_many(const Oihw &w, bool input_is_few, bool flip, int lanes, const float *from, float *to) {
  int few = input_is_few ? w.i : w.o, many = input_is_few ? w.o : w.i, padded = round_up(many, lanes);
  for (int t = 0; t < w.k * w.k; t++)
    for (int f = 0; f < few; f++)
      for (int m = 0; m < padded; m++)
        *to++ = m >= many ? 0 : from[input_is_few ? w.at(m, f, t / w.k, t % w.k, flip) : w.at(f, m, t / w.k, t % w.k, flip)];
}

// to[few][row][column·many + m, padded to lanes] for the many → few kernel.
void pack_many_few(const Oihw &w, bool output_is_few, bool flip, int lanes, const float *from, float *to) {
  int few = output_is_few ? w.o : w.i, many = output_is_few ? w.i : w.o, stretch = round_up(w.k * many, lanes);
  for (int f = 0; f < few; f++)
    for (int r = 0; r < w.k; r++)
      for (int j = 0; j < stretch; j++) {
        int c = j / many, m = j % many;
        *to++ = c >= w.k ? 0 : from[output_is_few ? w.at(f, m, r, c, flip) : w.at(m, f, r, c, flip)];
      }
}

// The sums are [(row·k + column)·few + f][many, padded]; where the output is few
// they come with the kernel turned.
void unpack_few(const Oihw &w, bool input_is_few, int lanes, const float *from, float *to) {
  int few = input_is_few ? w.i : w.o, many = input_is_few ? w.o : w.i, padded = round_up(many, lanes);
  for (int t = 0; t < w.k * w.k; t++)
    for (int f = 0; f < few; f++, from += padded)
      for (int m = 0; m < many; m++) to[input_is_few ? w.at(m, f, t / w.k, t % w.k, false) : w.at(f, m, t / w.k, t % w.k, true)] = from[m];
}

} // namespace moncae

void mn_plan::few_forward(const mn_step &s, const Linear &l, Place weights, Place bias) {
  Oihw w{l.y.c, l.x.c, l.kernel};
  bool spread = l.x.c <= few_channels; // few → many
  Few g{spread ? l.x : l.y, spread ? l.y : l.x, l.kernel, is_float(s.y), nullptr};
  size_t packed = keep(few_values(w, k.lanes) * sizeof(float));
  need_scratch(few_scratch(g));
  weigh([=, this] {
    if (spread) pack_few_to_many(w, true, false, k.lanes, pointer(weights), kept(packed));
    else pack_many_few(w, true, false, k.lanes, pointer(weights), kept(packed));
  });
  own([=, this] {
    Few now{g.few, g.many, g.kernel, g.wide, scratched()};
    if (spread) return k.few_to_many(now, at(s.x), kept(packed), pointer(bias), l.act, at(s.y));
    k.many_to_few(now, at(s.x), kept(packed), pointer(bias), at(s.y));
    if (l.act) kernels(!now.wide).forward({l.y, l.y, at(s.y), nullptr, nullptr, l.act, moncae::plain, at(s.y), nullptr, scratched()});
  });
  need_scratch(point_scratch(l.y));
}

void mn_plan::few_grad_input(const mn_step &s, const Linear &l) {
  Oihw w{l.y.c, l.x.c, l.kernel};
  bool spread = l.y.c <= few_channels; // few gradients → many
  Few g{spread ? l.y : l.x, spread ? l.x : l.y, l.kernel, is_float(s.dx), nullptr};
  const float *weights = net.params.data() + s.weight;
  size_t packed = keep(few_values(w, k.lanes) * sizeof(float));
  need_scratch(few_scratch(g));
  own([=, this] {
    Few now{g.few, g.many, g.kernel, g.wide, scratched()};
    if (spread) {
      pack_few_to_many(w, false, true, k.lanes, weights, kept(packed));
      return k.few_to_many(now, at(s.dy), kept(packed), nullptr, act_none, at(s.dx));
    }
    const float none[few_channels] = {};
    pack_many_few(w, false, true, k.lanes, weights, kept(packed));
    k.many_to_few(now, at(s.dy), kept(packed), none, at(s.dx));
  });
}

void mn_plan::few_grad_weight(const mn_step &s, const Linear &l) {
  Oihw w{l.y.c, l.x.c, l.kernel};
  bool input_is_few = l.x.c <= few_channels;
  Few g{input_is_few ? l.x : l.y, input_is_few ? l.y : l.x, l.kernel, false, nullptr};
  float *dw = net.grads.data() + s.weight, *db = net.grads.data() + s.bias;
  size_t sums = keep(few_values(w, k.lanes) * sizeof(float));
  need_scratch(few_scratch(g));
  own([=, this] {
    Few now{g.few, g.many, g.kernel, g.wide, scratched()};
    float *r = kept(sums);
    if (input_is_few) k.few_grad(now, at(s.x), at(s.dy), r, db, nullptr);
    else k.few_grad(now, at(s.dy), at(s.x), r, nullptr, db);
    unpack_few(w, input_is_few, k.lanes, r, dw);
  });
}
