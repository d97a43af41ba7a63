// The queue between JavaScript and the threads: a ring of numbers that JavaScript writes and the conductor reads, in order.
//
// A command is a run of doubles: [length, code, …]. Codes ≥ 0 are kernels, the others are below. Tensors are named by handles, small
// integers that JavaScript hands out; memory is given to them here, when their turn comes, so a freed buffer serves the next call.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "pool.h"
#include "registry.h"
#include "run-state.h"
#include "workers.h"

namespace weft {

// Kept in step with src/command-ring.ts.
enum Control : int { wrapMark = -1, freeHandle = -2, bindStaged = -3, bindInline = -4, readHandle = -5, runStaged = -6 };
constexpr int64_t ringWords = 1 << 16;
enum ControlWord : int { headWord = 0, tailWord = 16, sleepingWord = 32, controlWords = 48 };

/** A tensor as a command names it. */
struct NamedView {
  double handle;
  View view;
};

class Queue {
 public:
  /** Told on the conductor's thread when a read is done; `error` is empty where it went well. */
  using OnRead = std::function<void(int64_t request, const std::string& error)>;

  Queue(int threads, Isa isa, OnRead onRead);
  ~Queue();
  /** Ends the threads and frees all buffers, after what is enqueued has run, or, where `abandon`, without it. May be called twice. */
  void stop(bool abandon);

  double* ring() { return ring_.get(); }
  int32_t* control() { return reinterpret_cast<int32_t*>(control_.get()); }

  // Called by JavaScript's thread.
  void wake();
  /** Blocks until the conductor has moved on from `tail`, a position in the ring behind which there are commands. */
  void waitForProgress(int32_t tail);
  /** A copy of the bytes, to be bound to a handle by a command. */
  int64_t stage(const void* bytes, size_t count);
  /** A command that does not fit into the ring. */
  int64_t stageCommand(const double* words, size_t count);
  /** Notes where a read goes, and only then lets the conductor see its command, the last one before `head`. */
  void publishRead(int64_t request, void* target, size_t bytes, bool isWaitedFor, int32_t head);
  /** Blocks until a read that `isWaitedFor` is done. @returns its error, empty where it went well. */
  std::string waitForRead(int64_t request);
  Pool& pool() { return pool_; }
  int threads() const { return workers_.count(); }

 private:
  static constexpr int32_t anyHead = -1;

  struct Buffer {
    Block block;
    bool live = false;
    std::shared_ptr<const std::string> poison;
  };
  struct Read {
    void* target;
    size_t bytes;
    bool isWaitedFor;
    int32_t head;  // where its command ends
  };

  void conductorLoop();
  bool waitForWork(int32_t tail);
  void execute(const double* words, int64_t count);
  void runKernel(const Kernel& kernel, const double* words, int64_t count);
  void finishRead(const double* words, int64_t count);
  void answer(int64_t request, bool isWaitedFor, const std::string& error);
  /** Reads whose command cannot be made out still end, with an error. */
  void failReads(const std::string& error, int32_t head = anyHead);
  Buffer& buffer(double handle);
  Buffer& liveBuffer(double handle);
  void bind(double handle, Block block);

  Pool pool_;
  Workers workers_;
  Scratch scratch_;
  RunState state_;
  struct {
    std::vector<double> inputHandles;
    std::vector<NamedView> outputs;
    std::vector<double> allocated;
  } call_;  // of the call that runs: kept, so that its memory is
  const Isa isa_;
  const OnRead onRead_;
  std::unique_ptr<double[]> ring_;
  std::unique_ptr<std::atomic<int32_t>[]> control_;
  std::deque<Buffer> buffers_;

  std::atomic<bool> stopping_{false}, abandoned_{false}, spaceWanted_{false};
  std::atomic<uint32_t> wakeWord_{0};

  std::mutex mutex_;  // guards what follows
  std::condition_variable readDone_;
  std::unordered_map<int64_t, Block> staged_;
  std::unordered_map<int64_t, std::vector<double>> stagedCommands_;
  std::unordered_map<int64_t, Read> reads_;
  std::unordered_map<int64_t, std::string> waitedFor_;
  int64_t nextStaged_ = 1;

  std::thread conductor_;
};

}  // namespace weft
