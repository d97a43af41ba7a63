// The backend's threads. One of them, the conductor (worker 0), runs the operations in order; where an operation has many tiles, all
// threads claim tiles from one counter. Only claimed tiles are waited for, so a thread that the system has put aside before it
// claimed one holds up nobody.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace weft {

class Workers {
 public:
  using Body = void (*)(const void* context, int64_t tile, int worker);

  /** Starts `count - 1` helpers; the caller of `run` is worker 0. */
  explicit Workers(int count);
  ~Workers();
  /** Ends the helpers. May be called twice. */
  void stop();

  int count() const { return count_; }

  /** Calls body(context, tile, worker) for each tile in 0 … tiles; returns when all are done. Only worker 0 may call it. */
  void run(int64_t tiles, Body body, const void* context);

 private:
  struct Claim {
    bool ok;
    int64_t tile;
  };
  void helperLoop(int worker);
  Claim claim();
  void work(int64_t tile, int worker);
  void runBatch(int64_t first, int64_t tiles);

  // A ticket is one word, so that a claim can only succeed on a batch that is still open: generation (24 bits), tiles (20), next (20).
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<int64_t> done_{0};
  alignas(64) std::atomic<uint32_t> wakeWord_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stopping_{false};

  // Written by the conductor before it opens a batch, read by others only after a successful claim.
  Body body_ = nullptr;
  const void* context_ = nullptr;
  int64_t firstTile_ = 0;

  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  std::atomic_flag failureLock_ = ATOMIC_FLAG_INIT;
  const int count_;
  std::vector<std::thread> helpers_;
};

/** Tells the processor that this thread is waiting in a loop. */
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/** A bounded time of waiting in a loop; the clock is looked at now and then only. */
class Spin {
 public:
  explicit Spin(std::chrono::microseconds limit) : limit_(limit) {}
  void restart() { count_ = 0; }
  /** Waits for an instant. @returns whether the time is up. */
  bool isOver() {
    relax();
    if (count_++ == 0) start_ = std::chrono::steady_clock::now();
    return count_ % 64 == 0 && std::chrono::steady_clock::now() - start_ > limit_;
  }

 private:
  std::chrono::microseconds limit_;
  std::chrono::steady_clock::time_point start_;
  uint32_t count_ = 0;
};

}  // namespace weft
