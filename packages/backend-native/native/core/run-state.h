// One call as the queue has read it from the ring, and the scratch memory that calls share.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel.h"
#include "pool.h"
#include "workers.h"

namespace weft {

struct KernelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** Memory of each worker that outlives a call, so that it need not be asked for again. */
class Scratch {
 public:
  static constexpr int uses = 8;
  Scratch(Pool& pool, int workers) : pool_(pool), blocks_(static_cast<size_t>(workers) * uses) {}
  ~Scratch();
  void* get(int worker, int use, int64_t bytes);
  /** Gives large pieces back to the pool. */
  void shrink();

 private:
  Pool& pool_;
  std::vector<Block> blocks_;
};

struct RunState {
  Workers& workers;
  Pool& pool;
  Scratch& scratch;
  const char* operation = "";
  std::vector<View> views;      // inputs, then outputs
  std::vector<int> slotStarts;  // one more than slots: where each slot's tensors lie in views
  int firstOutput = 0;
  const double* attributes = nullptr;
  int64_t attributeCount = 0;
  std::vector<Block> temporaries;

  RunState(Workers& w, Pool& p, Scratch& s) : workers(w), pool(p), scratch(s) {}
  void reset() {
    views.clear();
    slotStarts.clear();
    slotStarts.push_back(0);
    firstOutput = 0;
  }
  void releaseTemporaries() {
    for (const Block& block : temporaries) pool.release(block);
    temporaries.clear();
  }
};

}  // namespace weft
