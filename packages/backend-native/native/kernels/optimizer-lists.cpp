// The checks that all update operations share, and updates that do not count.
#include "optimizer-lists.h"

namespace weft::WEFT_ISA {
namespace {

void requireFloats(const char* operation, const char* list, int i, const View& x, const View& value, bool isFloat32) {
  if (x.size != value.size) fail("%s: %s %d has %lld elements, its value has %lld", operation, list, i, static_cast<long long>(x.size), static_cast<long long>(value.size));
  if (isFloat32 ? x.dtype != DType::f32 : x.dtype == DType::i32 || x.dtype == DType::u8) fail("%s: %s %d: expected %s", operation, list, i, isFloat32 ? "f32" : "a float dtype");
}

float scalar(const char* operation, const char* name, const View& x) {
  if (x.size != 1 || x.dtype != DType::f32) fail("%s: expected %s to be one f32", operation, name);
  return *x.as<float>();
}

}  // namespace

StepLists::StepLists(Run& call, int stateLists) : run(call), states(stateLists), count(call.count(0)), hasMasters(call.count(1) > 0) {
  const char* name = run.operation();
  const int lists = (hasMasters ? 2 : 1) + states;
  if (run.outputs() != lists * count + 1) fail("%s: expected %d outputs, got %d", name, lists * count + 1, run.outputs());
  for (int slot = 1; slot < 3 + states; slot++)
    if (run.count(slot) != count && !(slot == 1 && !hasMasters)) fail("%s: expected %d tensors in input %d, got %d", name, count, slot, run.count(slot));
  for (int i = 0; i < count; i++) {
    requireFloats(name, "value", i, value(i), value(i), false);
    requireFloats(name, "gradient", i, gradient(i), value(i), false);
    requireFloats(name, "new value", i, newValue(i), value(i), false);
    if (newValue(i).dtype != value(i).dtype) fail("%s: value %d: its dtype must not change", name, i);
    if (hasMasters) {
      requireFloats(name, "master", i, before(i), value(i), true);
      requireFloats(name, "new master", i, after(i), value(i), true);
    }
    for (int list = 0; list < states; list++) {
      requireFloats(name, "state", i, state(list, i), value(i), true);
      requireFloats(name, "new state", i, newState(list, i), value(i), true);
    }
  }
  number = static_cast<double>(scalar(name, "step", run.input(3 + states))) + 1;
  scale = scalar(name, "gradientScale", run.input(4 + states));
  scalar(name, "new step", run.output(lists * count));
}

bool StepLists::begin() const {
  *run.output(run.outputs() - 1).as<float>() = static_cast<float>(counts() ? number : number - 1);
  if (counts()) return true;
  for (int i = 0; i < count; i++) {
    copyUnlessSame(run, value(i), newValue(i));
    if (hasMasters) copyUnlessSame(run, before(i), after(i));
    for (int list = 0; list < states; list++) copyUnlessSame(run, state(list, i), newState(list, i));
  }
  return false;
}

void copyUnlessSame(Run& run, const View& from, const View& to) {
  if (from.data == to.data) return;
  run.parallelRanges(from.size * bytesPerElement(from.dtype), 1 << 18, [&](int64_t begin, int64_t end, int) {
    memcpy(to.as<char>() + begin, from.as<const char>() + begin, static_cast<size_t>(end - begin));
  });
}

}  // namespace weft::WEFT_ISA
