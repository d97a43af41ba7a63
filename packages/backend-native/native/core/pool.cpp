#include "pool.h"

#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace weft {
namespace {

constexpr size_t pageBytes = size_t{2} << 20;   // a huge page
constexpr size_t mappedFrom = size_t{4} << 20;  // below, malloc does well
constexpr size_t slackBytes = size_t{64} << 20; // kept in any case

#if defined(__SANITIZE_ADDRESS__)
constexpr bool keepsBuffers = false;  // every buffer by itself and exactly as large as asked for: an overrun is seen
#else
constexpr bool keepsBuffers = true;
#endif

/** Sizes in steps of an eighth of their power of two: at most 12.5 % is lost, and steps of a training loop meet the same sizes again. */
size_t capacityFor(size_t bytes) {
  if (!keepsBuffers) return bytes == 0 ? 1 : bytes;
  size_t step = 64;
  while (step * 16 <= bytes) step *= 2;
  const size_t rounded = (bytes + step - 1) / step * step;
  if (rounded < mappedFrom) return rounded == 0 ? 64 : rounded;
  return (rounded + pageBytes - 1) / pageBytes * pageBytes;
}

void* obtain(size_t capacity) {
#if defined(__linux__)
  if (keepsBuffers && capacity >= mappedFrom) {
    // A mapping that starts on a huge page: map more, then cut both ends off.
    const size_t mapped = capacity + pageBytes;
    char* start = static_cast<char*>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (start == MAP_FAILED) return nullptr;
    const size_t head = (pageBytes - reinterpret_cast<uintptr_t>(start) % pageBytes) % pageBytes;
    if (head > 0) munmap(start, head);
    if (const size_t tail = mapped - head - capacity; tail > 0) munmap(start + head + capacity, tail);
    madvise(start + head, capacity, MADV_HUGEPAGE);
    return start + head;
  }
#endif
  void* data = nullptr;
  return posix_memalign(&data, 64, capacity) == 0 ? data : nullptr;
}

void giveBack(void* data, size_t capacity) {
#if defined(__linux__)
  if (keepsBuffers && capacity >= mappedFrom) {
    munmap(data, capacity);
    return;
  }
#endif
  (void)capacity;
  std::free(data);
}

}  // namespace

Pool::~Pool() { trim(0); }

Block Pool::allocate(size_t bytes) {
  const size_t capacity = capacityFor(bytes);
  std::lock_guard lock(mutex_);
  Block block{nullptr, bytes, capacity};
  // Half as large again is still a good use of what is there already.
  if (auto it = kept_.lower_bound(capacity); it != kept_.end() && it->first <= capacity + capacity / 2) {
    block.capacity = it->first;
    block.data = it->second.back();
    it->second.pop_back();
    if (it->second.empty()) kept_.erase(it);
    now_.keptBytes -= block.capacity;
  } else {
    // What lies about unused never makes the whole larger than a tenth above what was in use at once.
    const size_t allowed = now_.peakLiveBytes + now_.peakLiveBytes / 10 + slackBytes;
    const size_t total = now_.liveBytes + capacity + now_.keptBytes;
    if (total > allowed) trim(now_.keptBytes > total - allowed ? now_.keptBytes - (total - allowed) : 0);
    block.data = obtain(capacity);
    if (block.data == nullptr) {
      trim(0);
      block.data = obtain(capacity);
    }
    if (block.data == nullptr) throw std::bad_alloc();
  }
  now_.liveBytes += block.capacity;
  if (now_.liveBytes > now_.peakLiveBytes) now_.peakLiveBytes = now_.liveBytes;
  if (now_.liveBytes + now_.keptBytes > now_.peakTotalBytes) now_.peakTotalBytes = now_.liveBytes + now_.keptBytes;
  return block;
}

void Pool::release(const Block& block) {
  if (block.data == nullptr) return;
  std::lock_guard lock(mutex_);
  now_.liveBytes -= block.capacity;
  if (!keepsBuffers) {
    giveBack(block.data, block.capacity);
    return;
  }
  kept_[block.capacity].push_back(block.data);
  now_.keptBytes += block.capacity;
}

/** Gives kept buffers back, the largest first, until no more than `target` bytes are kept. */
void Pool::trim(size_t target) {
  while (now_.keptBytes > target && !kept_.empty()) {
    auto it = std::prev(kept_.end());
    giveBack(it->second.back(), it->first);
    now_.keptBytes -= it->first;
    it->second.pop_back();
    if (it->second.empty()) kept_.erase(it);
  }
}

Pool::Statistics Pool::statistics() {
  std::lock_guard lock(mutex_);
  return now_;
}

}  // namespace weft
