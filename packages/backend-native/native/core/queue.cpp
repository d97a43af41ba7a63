#include "queue.h"

#include <cmath>
#include <cstring>
#include <new>

#if defined(__SANITIZE_THREAD__)
extern "C" void AnnotateIgnoreReadsBegin(const char*, int);
extern "C" void AnnotateIgnoreReadsEnd(const char*, int);
#endif

namespace weft {
namespace {

/** JavaScript's atomic store of the head orders this; the thread sanitizer, which does not see into JavaScript's code, cannot know. */
void copyFromRing(void* to, const double* from, size_t bytes) {
#if defined(__SANITIZE_THREAD__)
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  memcpy(to, from, bytes);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#else
  memcpy(to, from, bytes);
#endif
}

// A loop that reads one value a step (generating tokens) comes back within it and finds the conductor awake.
constexpr std::chrono::microseconds idleSpin{200};

constexpr double maxHandle = 1 << 26;
// JavaScript hands handles out one after the other; one far beyond all others would only cost memory.
constexpr size_t maxHandleGap = 1 << 16;

struct Words {
  const double* at;
  const double* end;
  double next() {
    if (at >= end) throw KernelError("a command of the queue is cut off");
    return *at++;
  }
  size_t bytesLeft() const { return static_cast<size_t>(end - at) * sizeof(double); }
  int64_t integer(int64_t low, int64_t high, const char* what) {
    const double value = next();
    if (value != std::floor(value) || !(value >= static_cast<double>(low) && value <= static_cast<double>(high))) throw KernelError(std::string("a command of the queue has a wrong ") + what);
    return static_cast<int64_t>(value);
  }
};

constexpr int64_t maxElements = int64_t{1} << 48;
constexpr int64_t maxId = int64_t{1} << 53;

NamedView readTensor(Words& words) {
  NamedView tensor{};
  tensor.handle = words.next();
  tensor.view.dtype = static_cast<DType>(words.integer(0, dtypeCount - 1, "element type"));
  tensor.view.rank = static_cast<int>(words.integer(0, maxRank, "rank"));
  tensor.view.size = 1;
  bool isEmpty = false;
  for (int i = 0; i < tensor.view.rank; i++) {
    const int64_t dim = words.integer(0, maxElements, "size");
    tensor.view.dims[i] = dim;
    if (dim == 0) isEmpty = true;
    else if (tensor.view.size > maxElements / dim) throw KernelError("a tensor has more than 2^48 elements");
    else tensor.view.size *= dim;
  }
  if (isEmpty) tensor.view.size = 0;
  return tensor;
}

size_t bytesOf(const View& view) { return static_cast<size_t>(view.size * bytesPerElement(view.dtype)); }

std::string sizeText(double bytes) {
  char text[64];
  snprintf(text, sizeof text, "%.1f MB", bytes / 1e6);
  return text;
}

}  // namespace

Queue::Queue(int threads, Isa isa, OnRead onRead)
    : workers_(threads), scratch_(pool_, threads), state_(workers_, pool_, scratch_), isa_(isa), onRead_(std::move(onRead)), ring_(new double[ringWords]()), control_(new std::atomic<int32_t>[controlWords]()) {
  conductor_ = std::thread([this] { conductorLoop(); });
}

Queue::~Queue() { stop(true); }

void Queue::stop(bool abandon) {
  if (!conductor_.joinable()) return;
  if (abandon) abandoned_.store(true);
  stopping_.store(true);
  wake();
  conductor_.join();
  workers_.stop();
  for (const Buffer& buffer : buffers_) pool_.release(buffer.block);
  buffers_.clear();
  for (const auto& [id, block] : staged_) pool_.release(block);
  staged_.clear();
}

void Queue::wake() {
  control_[sleepingWord].store(0);
  wakeWord_.fetch_add(1);
  wakeWord_.notify_one();
}

void Queue::waitForProgress(int32_t tail) {
  spaceWanted_.store(true);
  wake();
  control_[tailWord].wait(tail);
  spaceWanted_.store(false);
}

int64_t Queue::stage(const void* bytes, size_t count) {
  const Block block = pool_.allocate(count);
  memcpy(block.data, bytes, count);
  std::lock_guard lock(mutex_);
  staged_.emplace(nextStaged_, block);
  return nextStaged_++;
}

int64_t Queue::stageCommand(const double* words, size_t count) {
  std::lock_guard lock(mutex_);
  stagedCommands_.emplace(nextStaged_, std::vector<double>(words, words + count));
  return nextStaged_++;
}

void Queue::publishRead(int64_t request, void* target, size_t bytes, bool isWaitedFor, int32_t head) {
  {
    std::lock_guard lock(mutex_);
    reads_[request] = {target, bytes, isWaitedFor, head};
  }
  control_[headWord].store(head);
  if (control_[sleepingWord].load() != 0) wake();
}

std::string Queue::waitForRead(int64_t request) {
  std::unique_lock lock(mutex_);
  readDone_.wait(lock, [&] { return waitedFor_.count(request) > 0; });
  std::string error = waitedFor_[request];
  waitedFor_.erase(request);
  return error;
}

bool Queue::waitForWork(int32_t tail) {
  for (Spin spin(idleSpin); !spin.isOver();) {
    if (control_[headWord].load(std::memory_order_acquire) != tail) return true;
  }
  if (control_[headWord].load() != tail) return true;
  const uint32_t word = wakeWord_.load();
  control_[sleepingWord].store(1);
  if (control_[headWord].load() != tail) {
    control_[sleepingWord].store(0);
    return true;
  }
  if (stopping_.load()) return false;
  wakeWord_.wait(word);
  control_[sleepingWord].store(0);
  return true;
}

void Queue::conductorLoop() {
  int32_t tail = 0;
  bool isBroken = false;
  for (;;) {
    const int32_t head = control_[headWord].load(std::memory_order_acquire);
    if (head == tail) {
      if (!waitForWork(tail)) return;
      continue;
    }
    if (abandoned_.load(std::memory_order_relaxed)) return;
    const double length = ring_[tail];
    const bool isWrap = length == wrapMark && tail > 0;
    isBroken = isBroken || !(isWrap || (length >= 2 && length <= ringWords - tail && length == std::floor(length)));
    if (isBroken) {
      tail = head;  // nothing tells where the next command begins
      failReads("the queue's commands are broken; create another backend");
    } else if (isWrap) {
      tail = 0;
    } else {
      const double* words = ring_.get() + tail + 1;
      tail = static_cast<int32_t>((tail + static_cast<int32_t>(length)) % ringWords);
      try {
        execute(words, static_cast<int64_t>(length) - 1);
      } catch (const std::exception& problem) {
        failReads(problem.what(), tail);
      }
    }
    control_[tailWord].store(tail);
    if (spaceWanted_.load()) control_[tailWord].notify_all();
  }
}

Queue::Buffer& Queue::buffer(double handle) {
  if (!(handle >= 0 && handle < maxHandle && handle == std::floor(handle))) throw KernelError("a command of the queue names a handle that cannot be");
  const auto index = static_cast<size_t>(handle);
  if (index > buffers_.size() + maxHandleGap) throw KernelError("a command of the queue names a handle that cannot be");
  while (buffers_.size() <= index) buffers_.emplace_back();
  return buffers_[index];
}

Queue::Buffer& Queue::liveBuffer(double handle) {
  Buffer& found = buffer(handle);
  if (!found.live) throw KernelError("a command of the queue uses a freed buffer");
  return found;
}

void Queue::bind(double handle, Block block) {
  Buffer& target = buffer(handle);
  if (target.live) pool_.release(target.block);
  target = {block, true, nullptr};
}

void Queue::execute(const double* words, int64_t count) {
  if (count < 1) return;
  const double code = words[0];
  Words rest{words + 1, words + count};
  const auto& all = kernels();
  if (code != std::floor(code) || !(code >= runStaged && code < static_cast<double>(all.size()))) throw KernelError("a command of the queue has a code that does not exist");
  if (code >= 0) return runKernel(all[static_cast<size_t>(code)], words + 1, count - 1);
  switch (static_cast<int>(code)) {
    case freeHandle: {
      Buffer& target = buffer(rest.next());
      pool_.release(target.block);
      target = {};
      return;
    }
    case bindStaged: {
      const double handle = rest.next();
      const int64_t id = rest.integer(0, maxId, "id");
      std::unique_lock lock(mutex_);
      const auto found = staged_.find(id);
      if (found == staged_.end()) return;
      const Block block = found->second;
      staged_.erase(found);
      lock.unlock();
      bind(handle, block);
      return;
    }
    case bindInline: {
      const double handle = rest.next();
      const auto bytes = static_cast<size_t>(rest.integer(0, static_cast<int64_t>(rest.bytesLeft()), "number of bytes"));
      if (bytes > rest.bytesLeft()) throw KernelError("an upload is cut off");
      try {
        const Block block = pool_.allocate(bytes);
        copyFromRing(block.data, rest.at, bytes);
        bind(handle, block);
      } catch (const std::bad_alloc&) {
        bind(handle, {});
        buffer(handle).poison = std::make_shared<const std::string>("upload: out of memory");
      }
      return;
    }
    case readHandle: return finishRead(words + 1, count - 1);
    case runStaged: {
      const int64_t id = rest.integer(0, maxId, "id");
      std::unique_lock lock(mutex_);
      const auto found = stagedCommands_.find(id);
      if (found == stagedCommands_.end()) return;
      const std::vector<double> command = std::move(found->second);
      stagedCommands_.erase(found);
      lock.unlock();
      execute(command.data() + 1, static_cast<int64_t>(command.size()) - 1);
      return;
    }
    default: return;
  }
}

void Queue::finishRead(const double* words, int64_t count) {
  Words rest{words, words + count};
  const double handle = rest.next();
  const int64_t request = rest.integer(0, maxId, "request");
  Read read{};
  {
    std::lock_guard lock(mutex_);
    const auto found = reads_.find(request);
    if (found == reads_.end()) throw KernelError("a command of the queue reads for nobody");
    read = found->second;
    reads_.erase(found);
  }
  std::string error;
  try {
    const Buffer& source = liveBuffer(handle);
    if (source.poison) error = *source.poison;
    else if (source.block.bytes < read.bytes) error = "read: the buffer is smaller than what was asked for";
    else if (read.bytes > 0) memcpy(read.target, source.block.data, read.bytes);
  } catch (const std::exception& problem) {
    error = problem.what();
  }
  answer(request, read.isWaitedFor, error);
}

void Queue::answer(int64_t request, bool isWaitedFor, const std::string& error) {
  if (!isWaitedFor) return onRead_(request, error);
  std::lock_guard lock(mutex_);
  waitedFor_[request] = error;
  readDone_.notify_all();
}

void Queue::failReads(const std::string& error, int32_t head) {
  std::vector<std::pair<int64_t, bool>> failed;
  {
    std::lock_guard lock(mutex_);
    for (auto it = reads_.begin(); it != reads_.end();) {
      if (head != anyHead && it->second.head != head) {
        ++it;
        continue;
      }
      failed.emplace_back(it->first, it->second.isWaitedFor);
      it = reads_.erase(it);
    }
  }
  for (const auto& [request, isWaitedFor] : failed) answer(request, isWaitedFor, error);
}

void Queue::runKernel(const Kernel& kernel, const double* words, int64_t count) {
  // The outputs' handles are known before anything can go wrong, so that a failure always reaches them.
  auto& [inputHandles, outputs, allocated] = call_;
  inputHandles.clear();
  outputs.clear();
  allocated.clear();
  std::shared_ptr<const std::string> poison;
  state_.reset();
  state_.operation = kernel.name.c_str();
  try {
    Words rest{words, words + count};
    const int64_t slots = rest.integer(0, 64, "slot count");
    for (int64_t slot = 0; slot < slots; slot++) {
      const int64_t items = rest.integer(0, 1 << 20, "list length");
      for (int64_t i = 0; i < items; i++) {
        const NamedView input = readTensor(rest);
        inputHandles.push_back(input.handle);
        state_.views.push_back(input.view);
      }
      state_.slotStarts.push_back(static_cast<int>(state_.views.size()));
    }
    state_.firstOutput = static_cast<int>(state_.views.size());
    const int64_t outputCount = rest.integer(0, 1 << 20, "output count");
    for (int64_t i = 0; i < outputCount; i++) outputs.push_back(readTensor(rest));
    state_.attributes = rest.at;
    state_.attributeCount = rest.end - rest.at;

    for (size_t i = 0; i < inputHandles.size() && !poison; i++) {
      const Buffer& source = liveBuffer(inputHandles[i]);
      poison = source.poison;
      if (!poison && source.block.bytes < bytesOf(state_.views[i])) throw KernelError("a tensor is larger than its buffer");
      state_.views[i].data = source.block.data;
    }
    if (!poison) {
      for (NamedView& output : outputs) {
        Buffer& target = buffer(output.handle);
        if (!target.live) {
          const size_t bytes = bytesOf(output.view);
          try {
            target = {pool_.allocate(bytes), true, nullptr};
          } catch (const std::bad_alloc&) {
            scratch_.shrink();
            throw KernelError("out of memory: " + sizeText(static_cast<double>(bytes)) + " more are not to be had");
          }
          allocated.push_back(output.handle);
        } else if (target.block.bytes < bytesOf(output.view)) {
          throw KernelError("an output is larger than the buffer that it takes over");
        }
        output.view.data = target.block.data;
        state_.views.push_back(output.view);
      }
      const KernelFunction function = kernel.best(isa_);
      if (function == nullptr) throw KernelError("it has no version for this processor");
      Run run(state_);
      function(run);
    }
  } catch (const std::bad_alloc&) {
    poison = std::make_shared<const std::string>(kernel.name + ": out of memory");
  } catch (const std::exception& problem) {
    const std::string text = problem.what();
    poison = std::make_shared<const std::string>(text.rfind(kernel.name + ":", 0) == 0 ? text : kernel.name + ": " + text);
  }
  state_.releaseTemporaries();
  if (!poison) return;
  for (const double handle : allocated) {
    pool_.release(buffer(handle).block);
    buffer(handle).block = {};
  }
  for (const NamedView& output : outputs) {
    Buffer& target = buffer(output.handle);
    target.live = true;
    target.poison = poison;
  }
}

}  // namespace weft
