// What a kernel sees: its inputs, outputs and attributes, threads, scratch memory, and how it registers itself.
//
// A kernel file is compiled once for each instruction set into a namespace of its own (isa.h). Nothing in it may end up as a
// function shared between those copies: no standard containers or algorithms; `always_inline` on what is shared.
#pragma once
#include "types.h"

namespace weft {

class Workers;
class Pool;
struct RunState;

/** @throws KernelError, which reaches JavaScript as the error of every read that depends on this call. */
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

/** Attributes in the order in which the operation's entry in src/operations lists them. */
class Attributes {
 public:
  Attributes(const double* words, int64_t count, const char* operation) : words_(words), end_(words + count), operation_(operation) {}
  /** NaN: absent. */
  double number();
  int64_t integer();
  bool flag() { return number() != 0; }
  struct List {
    const double* values;
    int64_t count;  // −1: absent
    WEFT_INLINE int64_t operator[](int64_t i) const { return static_cast<int64_t>(values[i]); }
  };
  List list();

 private:
  const double* words_;
  const double* end_;
  const char* operation_;
};

/** One call of an operation. */
class Run {
 public:
  explicit Run(RunState& state) : state_(state) {}

  int slots() const;
  bool has(int slot) const { return count(slot) > 0; }
  /** How many tensors stand in a slot: 0 absent, 1, or the length of a list. */
  int count(int slot) const;
  /** Checked: a slot that is absent or out of range fails the call. */
  const View& input(int slot, int index = 0) const;
  int outputs() const;
  const View& output(int index) const;
  Attributes attributes() const;
  const char* operation() const;

  /** Number of threads; worker indices lie below it. */
  int workers() const;
  /** body(tile, worker) for each tile, on all threads; returns when all are done. Not to be nested. */
  template <class F> void parallel(int64_t tiles, const F& body) {
    parallelTiles(tiles, [](const void* context, int64_t tile, int worker) { (*static_cast<const F*>(context))(tile, worker); }, &body);
  }
  /**
   * body(begin, end, worker) over 0 … count in pieces of `grain` (the last may be smaller). The pieces do not depend on the number of
   * threads. Choose the grain so that a piece takes some 20 µs or more; a single piece runs on the spot.
   */
  template <class F> void parallelRanges(int64_t count, int64_t grain, const F& body) {
    if (grain < 1) grain = 1;
    const int64_t tiles = (count + grain - 1) / grain;
    parallel(tiles, [&](int64_t tile, int worker) {
      const int64_t begin = tile * grain;
      body(begin, begin + grain < count ? begin + grain : count, worker);
    });
  }

  /** Memory of one worker that lives until the end of this call; the same `use` (0 … 7) again gives the same memory, grown where needed
   *  (then its contents are gone). Aligned to 64 bytes. May be called in a parallel body by that worker. */
  void* scratch(int worker, int use, int64_t bytes);
  template <class T> T* scratchOf(int worker, int use, int64_t count) { return static_cast<T*>(scratch(worker, use, count * static_cast<int64_t>(sizeof(T)))); }
  /** Memory shared by all workers that lives until the end of this call. Not inside a parallel body. */
  void* temporary(int64_t bytes);
  template <class T> T* temporaryOf(int64_t count) { return static_cast<T*>(temporary(count * static_cast<int64_t>(sizeof(T)))); }

 private:
  void parallelTiles(int64_t tiles, void (*body)(const void*, int64_t, int), const void* context);
  RunState& state_;
};

using KernelFunction = void (*)(Run&);

/** Instruction sets, the better the higher. */
enum class Isa : int { baseline, avx2, avx512 };
constexpr int isaCount = 3;

struct Registration {
  Registration(const char* name, Isa isa, KernelFunction kernel);
};

/**
 * What this processor offers beyond its level; kernels for it carry a target attribute of their own and ask here. Nothing where the
 * environment says WEFT_NATIVE_FEATURES=none: so one tries what runs on processors without.
 */
struct CpuFeatures {
  bool avx512Vnni, avx512Bf16, avxVnni;
};
const CpuFeatures& cpuFeatures();

}  // namespace weft
