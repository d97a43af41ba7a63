// Buffers for tensors: freed ones are kept by size and serve again, large ones lie on huge pages where the system offers them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace weft {

struct Block {
  void* data = nullptr;
  size_t bytes = 0;  // what was asked for
  size_t capacity = 0;
};

class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  ~Pool();

  /** A buffer aligned to 64 bytes, uninitialised. @throws std::bad_alloc, after everything kept has been given back in vain. */
  Block allocate(size_t bytes);
  void release(const Block& block);

  struct Statistics {
    size_t liveBytes, peakLiveBytes, keptBytes, peakTotalBytes;
  };
  Statistics statistics();

 private:
  void trim(size_t target);

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> kept_;  // by capacity
  Statistics now_{};
};

}  // namespace weft
