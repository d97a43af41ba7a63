// The kernel's side of a call: checked access to what the queue has read.
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "run-state.h"

namespace weft {

void fail(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw KernelError(text);
}

double Attributes::number() {
  if (words_ >= end_) fail("%s: an attribute is missing", operation_);
  return *words_++;
}

int64_t Attributes::integer() {
  const double value = number();
  if (!(std::fabs(value) <= 9007199254740992.0)) fail("%s: expected an integer attribute, got %g", operation_, value);
  return static_cast<int64_t>(value);
}

Attributes::List Attributes::list() {
  const int64_t count = integer();
  if (count < 0) return {nullptr, -1};
  if (count > end_ - words_) fail("%s: an attribute list is cut off", operation_);
  const List result{words_, count};
  words_ += count;
  return result;
}

int Run::slots() const { return static_cast<int>(state_.slotStarts.size()) - 1; }

int Run::count(int slot) const { return slot < 0 || slot >= slots() ? 0 : state_.slotStarts[slot + 1] - state_.slotStarts[slot]; }

const View& Run::input(int slot, int index) const {
  if (index < 0 || index >= count(slot)) fail("%s: input %d is missing", state_.operation, slot);
  return state_.views[state_.slotStarts[slot] + index];
}

int Run::outputs() const { return static_cast<int>(state_.views.size()) - state_.firstOutput; }

const View& Run::output(int index) const {
  if (index < 0 || index >= outputs()) fail("%s: output %d is missing", state_.operation, index);
  return state_.views[state_.firstOutput + index];
}

Attributes Run::attributes() const { return {state_.attributes, state_.attributeCount, state_.operation}; }
const char* Run::operation() const { return state_.operation; }
int Run::workers() const { return state_.workers.count(); }
void* Run::scratch(int worker, int use, int64_t bytes) { return state_.scratch.get(worker, use, bytes); }

void* Run::temporary(int64_t bytes) {
  if (bytes < 0) fail("%s: negative size", state_.operation);
  state_.temporaries.reserve(state_.temporaries.size() + 1);
  state_.temporaries.push_back(state_.pool.allocate(static_cast<size_t>(bytes)));
  return state_.temporaries.back().data;
}

void Run::parallelTiles(int64_t tiles, void (*body)(const void*, int64_t, int), const void* context) { state_.workers.run(tiles, body, context); }

Scratch::~Scratch() {
  for (const Block& block : blocks_) pool_.release(block);
}

void* Scratch::get(int worker, int use, int64_t bytes) {
  if (use < 0 || use >= uses || bytes < 0) fail("scratch: use %d, %lld bytes", use, static_cast<long long>(bytes));
  Block& block = blocks_[static_cast<size_t>(worker) * uses + use];
  if (block.data == nullptr || block.capacity < static_cast<size_t>(bytes)) {
    pool_.release(block);
    block = {};
    block = pool_.allocate(static_cast<size_t>(bytes));
  }
  return block.data;
}

void Scratch::shrink() {
  for (Block& block : blocks_) {
    if (block.capacity < size_t{16} << 20) continue;
    pool_.release(block);
    block = {};
  }
}

}  // namespace weft
