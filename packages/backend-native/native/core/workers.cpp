#include "workers.h"

namespace weft {
namespace {

constexpr uint64_t nextMask = (1u << 20) - 1;
constexpr int64_t maxBatch = (1 << 20) - 1;
// Longer than the gap between two operations of a step, shorter than anybody minds a busy core.
constexpr std::chrono::microseconds helperSpin{50};
// A thread that has claimed a tile and does not come back for so long has lost its core.
constexpr std::chrono::microseconds conductorSpin{100};

uint64_t tilesOf(uint64_t ticket) { return (ticket >> 20) & nextMask; }
uint64_t nextOf(uint64_t ticket) { return ticket & nextMask; }

}  // namespace

Workers::Workers(int count) : count_(count) {
  helpers_.reserve(count - 1);
  try {
    for (int i = 1; i < count; i++) helpers_.emplace_back([this, i] { helperLoop(i); });
  } catch (...) {
    stop();  // the system gives no more threads: those that run must not outlive this
    throw;
  }
}

Workers::~Workers() { stop(); }

void Workers::stop() {
  stopping_.store(true);
  wakeWord_.fetch_add(1);
  wakeWord_.notify_all();
  for (auto& helper : helpers_) helper.join();
  helpers_.clear();
}

Workers::Claim Workers::claim() {
  uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
  while (nextOf(ticket) < tilesOf(ticket)) {
    if (ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire)) return {true, static_cast<int64_t>(nextOf(ticket))};
  }
  return {false, 0};
}

void Workers::work(int64_t tile, int worker) {
  try {
    if (!failed_.load(std::memory_order_relaxed)) body_(context_, firstTile_ + tile, worker);
  } catch (...) {
    while (failureLock_.test_and_set(std::memory_order_acquire)) relax();
    if (!failure_) failure_ = std::current_exception();
    failed_.store(true, std::memory_order_relaxed);
    failureLock_.clear(std::memory_order_release);
  }
  done_.fetch_add(1, std::memory_order_release);
}

void Workers::runBatch(int64_t first, int64_t tiles) {
  firstTile_ = first;
  done_.store(0, std::memory_order_relaxed);
  const uint64_t generation = (ticket_.load(std::memory_order_relaxed) >> 40) + 1;
  ticket_.store((generation << 40) | (static_cast<uint64_t>(tiles) << 20), std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) > 0) {
    wakeWord_.fetch_add(1, std::memory_order_seq_cst);
    wakeWord_.notify_all();
  }
  for (Claim c = claim(); c.ok; c = claim()) work(c.tile, 0);
  Spin spin(conductorSpin);
  while (done_.load(std::memory_order_acquire) != tiles) {
    if (spin.isOver()) std::this_thread::yield();  // let it go on here
  }
}

void Workers::run(int64_t tiles, Body body, const void* context) {
  if (tiles <= 0) return;
  if (tiles == 1 || helpers_.empty()) {
    for (int64_t tile = 0; tile < tiles; tile++) body(context, tile, 0);
    return;
  }
  body_ = body;
  context_ = context;
  for (int64_t first = 0; first < tiles; first += maxBatch) runBatch(first, tiles - first < maxBatch ? tiles - first : maxBatch);
  if (failed_.load(std::memory_order_acquire)) {
    std::exception_ptr failure = failure_;
    failure_ = nullptr;
    failed_.store(false);
    std::rethrow_exception(failure);
  }
}

void Workers::helperLoop(int worker) {
  Spin spin(helperSpin);
  while (!stopping_.load(std::memory_order_acquire)) {
    if (const Claim c = claim(); c.ok) {
      work(c.tile, worker);
      spin.restart();
      continue;
    }
    if (!spin.isOver()) continue;
    const uint32_t word = wakeWord_.load(std::memory_order_seq_cst);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    const uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
    if (nextOf(ticket) >= tilesOf(ticket) && !stopping_.load(std::memory_order_seq_cst)) wakeWord_.wait(word);
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    spin.restart();
  }
}

}  // namespace weft
