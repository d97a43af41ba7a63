// Rotary position embedding (Su et al. 2021), halves of a head paired: alone, or while a joint projection is split into heads. Angles are
// made in double precision, since position · frequency has more digits than a float; once a token, for all of its heads.
#include <type_traits>

#include "rope-angles.h"

namespace weft::WEFT_ISA {
namespace {

/** Elements that are worth a task of their own. */
constexpr int64_t taskElements = 1 << 15;

struct Rotation {
  int64_t B, T, half;
  const float* frequencies;  // [half]
  const int32_t* positions;  // null: offset + token
  int64_t positionStride;    // of the batch; 0 where all rows have the same
  double offset;
  float scale, sineScale;

  WEFT_INLINE double position(int64_t b, int64_t t) const { return positions == nullptr ? offset + static_cast<double>(t) : positions[b * positionStride + t]; }
};

const float* frequenciesAsFloats(Run& run, const View& view) {
  if (view.dtype == DType::f32) return view.as<float>();
  float* wide = run.temporaryOf<float>(max<int64_t>(1, view.size));
  withFloatType(view.dtype, run.operation(), [&](auto* type) {
    const auto* from = view.as<std::remove_pointer_t<decltype(type)>>();
    for (int64_t i = 0; i < view.size; i += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, view.size - i));
      storeAs(wide + i, loadAs(from + i, n), n);
    }
  });
  return wide;
}

/** Reads slots frequencies and positions, and attributes offset and scale. Back: the opposite turn. */
Rotation rotationOf(Run& run, Attributes& attributes, int frequencySlot, int64_t B, int64_t T, int64_t headSize, bool isBack) {
  const View& frequencies = run.input(frequencySlot);
  Rotation rotation{B, T, frequencies.size, nullptr, nullptr, 0, 0, 1, 1};
  if (frequencies.rank != 1 || 2 * rotation.half > headSize) fail("%s: expected at most half as many frequencies as a head has dimensions", run.operation());
  rotation.frequencies = frequenciesAsFloats(run, frequencies);
  if (run.has(frequencySlot + 1)) {
    const View& positions = run.input(frequencySlot + 1);
    if (positions.dtype != DType::i32 || positions.rank != 2 || (positions.dims[0] != 1 && positions.dims[0] != B) || positions.dims[1] != T) fail("%s: expected positions i32 of shape [B or 1, T]", run.operation());
    rotation.positions = positions.as<int32_t>();
    rotation.positionStride = positions.dims[0] == 1 ? 0 : T;
  }
  rotation.offset = attributes.number();
  rotation.scale = static_cast<float>(attributes.number());
  rotation.sineScale = isBack ? -rotation.scale : rotation.scale;
  return rotation;
}

/** Heads of one token that lie one behind the other. */
template <class T> void turnHeads(const T* x, T* out, int64_t heads, int64_t size, int64_t half, const float* cosine, const float* sine) {
  for (int64_t h = 0; h < heads; h++, x += size, out += size) {
    for (int64_t i = 0; i < half; i += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, half - i));
      const vf c = load(cosine + i), s = load(sine + i);
      const vf first = loadAs(x + i, n), second = loadAs(x + half + i, n);
      storeAs(out + i, first * c - second * s, n);
      storeAs(out + half + i, second * c + first * s, n);
    }
    for (int64_t i = 2 * half; i < size; i += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, size - i));
      storeAs(out + i, loadAs(x + i, n), n);
    }
  }
}

/** body(row, cosine, sine) for each token of each row of the batch, row = b · T + t; `width` elements a token. */
template <class F> void forEachToken(Run& run, const Rotation& rotation, int64_t width, const F& body) {
  const bool isShared = rotation.positionStride == 0;
  const int64_t padded = ceilDiv(rotation.half, VW) * VW;
  const int64_t rows = isShared ? rotation.T : rotation.B * rotation.T;
  const int64_t perRow = max<int64_t>(1, width * (isShared ? rotation.B : 1));
  run.parallelRanges(rows, max<int64_t>(1, taskElements / perRow), [&](int64_t begin, int64_t end, int worker) {
    float* cosine = run.scratchOf<float>(worker, 0, 2 * padded + VW);
    float* sine = cosine + padded;
    for (int64_t row = begin; row < end; row++) {
      const int64_t b = isShared ? 0 : row / rotation.T, t = isShared ? row : row % rotation.T;
      anglesOf(rotation.position(b, t), rotation.frequencies, rotation.half, rotation.scale, rotation.sineScale, cosine, sine);
      if (!isShared) body(row, cosine, sine);
      else
        for (int64_t each = 0; each < rotation.B; each++) body(each * rotation.T + t, cosine, sine);
    }
  });
}

void rotateAll(Run& run, int xSlot, int frequencySlot, bool isBack) {
  const View& x = run.input(xSlot);
  const View& out = run.output(0);
  if (x.rank != 4) fail("%s: expected [B, T, H, Dh]", run.operation());
  if (!out.sameShape(x) || out.dtype != x.dtype) fail("%s: the output has not the shape and dtype of the input", run.operation());
  Attributes attributes = run.attributes();
  const int64_t heads = x.dims[2], size = x.dims[3], width = heads * size;
  const Rotation rotation = rotationOf(run, attributes, frequencySlot, x.dims[0], x.dims[1], size, isBack);
  if (x.size == 0) return;
  withFloatType(x.dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forEachToken(run, rotation, width, [&](int64_t row, const float* cosine, const float* sine) {
      turnHeads(x.as<T>() + row * width, out.as<T>() + row * width, heads, size, rotation.half, cosine, sine);
    });
  });
}

void rope(Run& run) { rotateAll(run, 0, 1, false); }
void ropeBackward(Run& run) { rotateAll(run, 2, 0, true); }

/** q, k, v [B, T, heads, Dh] and the joint [B, T, (H + 2 K) · Dh]. */
struct Joint {
  const View *joint, *q, *k, *v;
  int64_t B, T, H, K, size;
};

Joint jointOf(Run& run, Attributes& attributes, const View& joint, const View& q, const View& k, const View& v) {
  const int64_t H = attributes.integer(), K = attributes.integer();
  if (q.rank != 4 || joint.rank != 3) fail("%s: expected [B, T, (H + 2 K) · Dh] and heads of rank 4", run.operation());
  const Joint all{&joint, &q, &k, &v, q.dims[0], q.dims[1], H, K, q.dims[3]};
  const auto fits = [&](const View& x, int64_t heads) { return x.rank == 4 && x.dims[0] == all.B && x.dims[1] == all.T && x.dims[2] == heads && x.dims[3] == all.size && x.dtype == joint.dtype; };
  const int64_t width = joint.dims[2];
  const bool isWhole = all.size == 0 ? width == 0 : width % all.size == 0 && width / all.size == H + 2 * K;  // a product might overflow
  if (H < 0 || K < 0 || !fits(q, H) || !fits(k, K) || !fits(v, K) || joint.dims[0] != all.B || joint.dims[1] != all.T || !isWhole)
    fail("%s: the shapes or dtypes of q, k, v and their joint do not fit", run.operation());
  return all;
}

void qkvRope(Run& run) {
  Attributes attributes = run.attributes();
  const Joint all = jointOf(run, attributes, run.input(0), run.output(0), run.output(1), run.output(2));
  const Rotation rotation = rotationOf(run, attributes, 1, all.B, all.T, all.size, false);
  if (all.joint->size == 0) return;
  withFloatType(all.joint->dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const int64_t queries = all.H * all.size, keys = all.K * all.size;
    forEachToken(run, rotation, queries + 2 * keys, [&](int64_t row, const float* cosine, const float* sine) {
      const T* from = all.joint->as<T>() + row * (queries + 2 * keys);
      turnHeads(from, all.q->as<T>() + row * queries, all.H, all.size, rotation.half, cosine, sine);
      turnHeads(from + queries, all.k->as<T>() + row * keys, all.K, all.size, rotation.half, cosine, sine);
      memcpy(all.v->as<T>() + row * keys, from + queries + keys, static_cast<size_t>(keys) * sizeof(T));
    });
  });
}

void qkvRopeBackward(Run& run) {
  Attributes attributes = run.attributes();
  const Joint all = jointOf(run, attributes, run.output(0), run.input(2), run.input(3), run.input(4));
  const Rotation rotation = rotationOf(run, attributes, 0, all.B, all.T, all.size, true);
  if (all.joint->size == 0) return;
  withFloatType(all.joint->dtype, run.operation(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const int64_t queries = all.H * all.size, keys = all.K * all.size;
    forEachToken(run, rotation, queries + 2 * keys, [&](int64_t row, const float* cosine, const float* sine) {
      T* to = all.joint->as<T>() + row * (queries + 2 * keys);
      turnHeads(all.q->as<T>() + row * queries, to, all.H, all.size, rotation.half, cosine, sine);
      turnHeads(all.k->as<T>() + row * keys, to + queries, all.K, all.size, rotation.half, cosine, sine);
      memcpy(to + queries + keys, all.v->as<T>() + row * keys, static_cast<size_t>(keys) * sizeof(T));
    });
  });
}

WEFT_KERNEL("rope", rope)
WEFT_KERNEL("ropeBackward", ropeBackward)
WEFT_KERNEL("qkvRope", qkvRope)
WEFT_KERNEL("qkvRopeBackward", qkvRopeBackward)

}  // namespace
}  // namespace weft::WEFT_ISA
