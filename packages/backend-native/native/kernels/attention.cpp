// Attention forward: one pass over the keys with a running softmax, never a matrix of scores in memory (Dao et al. 2022).
//
// The heads that read one key head are rows of one block of queries. A task owns a few such blocks and meets the keys in ascending order, in pieces
// that begin at multiples of their size: what a query gets does not depend on the batch, on the threads, nor on keys behind
// those that it sees. Where few queries meet many keys, a task takes a range of the keys instead, and the ranges are merged in order.
#include "attention-few.h"
#include "attention-scores.h"
#include "attention-softmax.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t keyStep = 64;
/** Keys of one task where keys are divided. */
constexpr int64_t rangeKeys = 512;
/** Blocks of one task where keys are copied, so that a copy serves several. */
constexpr int64_t blocksPerCopy = 4;
/** Multiply-adds that are worth a task of their own. */
constexpr int64_t taskWork = 1 << 20;

struct Plan {
  int64_t rows;     // of one key head
  int64_t width;    // rows of a block
  int64_t blocks;   // of one key head
  int64_t ranges;   // of keys
  bool isFew;
  bool copiesKeys, copiesValues;
};

Plan planOf(const AttentionCall& call) {
  Plan plan{};
  plan.rows = call.Tq * call.G;
  plan.isFew = plan.rows <= fewRows;
  plan.width = plan.rows <= VW ? VW : laneWidth;
  plan.blocks = ceilDiv(plan.rows, plan.width);
  plan.ranges = plan.blocks <= 2 ? max<int64_t>(1, ceilDiv(call.Tk, rangeKeys)) : 1;
  plan.copiesKeys = isKeyCopyNeeded(*call.k);
  plan.copiesValues = isKeyCopyNeeded(*call.v);
  return plan;
}

/** A block on its way through the keys. */
struct Lanes {
  LaneBlock block;
  LaneRules rules;
  float* queries;  // [Dh][width]
  Softmax softmax;
};

struct TaskMemory {
  Lanes* lanes;
  float* scores;
  float* factors;
  float* keys;
  float* values;
};

/** The blocks' softmaxes lie in `partials` where it is not null. */
TaskMemory prepare(Run& run, int worker, const AttentionCall& call, const Plan& plan, int64_t b, int64_t keyHead, int64_t firstBlock, int64_t count, float* partials) {
  const int64_t perBlock = call.Dh * plan.width + Softmax::floats(call.Dv, plan.width);
  float* at = run.scratchOf<float>(worker, 0, count * perBlock + (keyStep + 1) * plan.width + keyStep * (call.Dh + call.Dv));
  TaskMemory memory{run.scratchOf<Lanes>(worker, 1, count), nullptr, nullptr, nullptr, nullptr};
  const float factor = queryFactor(call);
  for (int64_t i = 0; i < count; i++) {
    Lanes& lanes = memory.lanes[i];
    lanes.block = groupBlock(call, b, keyHead, (firstBlock + i) * plan.width, static_cast<int>(plan.width));
    readRules(call, lanes.block, lanes.rules);
    lanes.queries = at;
    at += call.Dh * plan.width;
    toLanes(lanes.block, *call.q, factor, lanes.queries, plan.width);
    float* softmax = partials == nullptr ? at : partials + i * Softmax::floats(call.Dv, plan.width);
    lanes.softmax = Softmax::in(softmax, call.Dv, plan.width);
    at += Softmax::floats(call.Dv, plan.width);
    clearSoftmax(lanes.softmax, call.Dv, lanes.block.width);
  }
  memory.scores = at;
  memory.factors = memory.scores + keyStep * plan.width;
  memory.keys = memory.factors + plan.width;
  memory.values = memory.keys + keyStep * call.Dh;
  return memory;
}

void meetKeys(const AttentionCall& call, const TaskMemory& memory, Lanes& lanes, Sight sight, Scalars keys, Scalars values, int64_t key, int64_t count) {
  const LaneBlock& block = lanes.block;
  const int64_t stride = lanes.softmax.stride;
  productOfRows(count, block.vectors(), call.Dh, keys, {lanes.queries, stride}, memory.scores, stride, Into::set);
  if (needsFinish(call, sight)) finishScores(call, block, lanes.rules, sight, key, count, memory.scores, stride, nullptr);
  weigh(lanes.softmax, block.width, count, memory.scores, stride, memory.factors);
  productOfColumns(call.Dv, block.vectors(), count, values, {memory.scores, stride}, lanes.softmax.mix, stride, Into::add, memory.factors);
}

/** The blocks of one task meet the keys from `begin` on, to `end` at most. */
void meetRange(const AttentionCall& call, const Plan& plan, const TaskMemory& memory, int64_t blocks, int64_t begin, int64_t end) {
  const int64_t b = memory.lanes[0].block.b, head = memory.lanes[0].block.keyHead;
  int64_t seen = 0;
  for (int64_t i = 0; i < blocks; i++) seen = max(seen, endOfSight(call, b, memory.lanes[i].rules));
  end = min(end, seen);
  for (int64_t key = begin; key < end; key += keyStep) {
    Scalars keys{nullptr, 0}, values{nullptr, 0};
    for (int64_t i = 0; i < blocks; i++) {
      Lanes& lanes = memory.lanes[i];
      const int64_t count = min(keyStep, min(end, endOfSight(call, b, lanes.rules)) - key);
      if (count <= 0) continue;
      const Sight sight = sightOf(call, b, lanes.rules, key, count);
      if (sight == Sight::none) continue;
      if (keys.data == nullptr) {
        const int64_t whole = min(keyStep, end - key);
        keys = keyRows(*call.k, plan.copiesKeys, b, head, key, whole, memory.keys);
        values = keyRows(*call.v, plan.copiesValues, b, head, key, whole, memory.values);
      }
      meetKeys(call, memory, lanes, sight, keys, values, key, count);
    }
  }
}

int64_t grainOf(const AttentionCall& call, int64_t rows, int64_t keys) {
  const int64_t work = max<int64_t>(1, rows * keys * (call.Dh + call.Dv));
  return max<int64_t>(1, taskWork / work);
}

/** A task: some blocks of one key head, and all keys. */
void attendInBlocks(Run& run, const AttentionCall& call, const Plan& plan, const View& out, float* logSumExp) {
  const int64_t perTask = min<int64_t>(plan.blocks, plan.copiesKeys || plan.copiesValues ? blocksPerCopy : 1);
  const int64_t perHead = ceilDiv(plan.blocks, perTask);
  run.parallelRanges(call.B * call.K * perHead, grainOf(call, perTask * plan.width, call.Tk), [&](int64_t begin, int64_t end, int worker) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t head = task / perHead;
      const int64_t first = (perHead - 1 - task % perHead) * perTask;  // the last queries see most: they go first
      const int64_t blocks = min(perTask, plan.blocks - first);
      const TaskMemory memory = prepare(run, worker, call, plan, head / call.K, head % call.K, first, blocks, nullptr);
      meetRange(call, plan, memory, blocks, 0, call.keysOf(head / call.K));
      for (int64_t i = 0; i < blocks; i++) finishSoftmax(call, memory.lanes[i].block, memory.lanes[i].softmax, out, logSumExp);
    }
  });
}

/** A task: a range of the keys, and all blocks of one key head, or of all where queries are few. */
void attendInRanges(Run& run, const AttentionCall& call, const Plan& plan, const View& out, float* logSumExp) {
  const int64_t perBlock = Softmax::floats(call.Dv, plan.width);
  const int64_t heads = call.B * call.K;
  float* partials = run.temporaryOf<float>(plan.ranges * heads * plan.blocks * perBlock);
  const auto partial = [&](int64_t range, int64_t head) { return partials + (range * heads + head) * plan.blocks * perBlock; };
  const int64_t step = plan.isFew ? call.K : 1;
  run.parallelRanges(plan.ranges * heads / step, grainOf(call, step * plan.rows, min(call.Tk, rangeKeys)), [&](int64_t begin, int64_t end, int worker) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t range = task % plan.ranges, head = task / plan.ranges * step;
      const int64_t b = head / call.K;
      const int64_t from = range * rangeKeys, to = min(call.keysOf(b), from + rangeKeys);
      if (plan.isFew) {
        attendFewRows(run, worker, call, b, from, to, partial(range, head));
        continue;
      }
      const TaskMemory memory = prepare(run, worker, call, plan, b, head % call.K, 0, plan.blocks, partial(range, head));
      meetRange(call, plan, memory, plan.blocks, from, to);
    }
  });
  run.parallelRanges(heads, grainOf(call, plan.rows, plan.ranges), [&](int64_t begin, int64_t end, int) {
    for (int64_t head = begin; head < end; head++)
      for (int64_t i = 0; i < plan.blocks; i++) {
        const LaneBlock block = groupBlock(call, head / call.K, head % call.K, i * plan.width, static_cast<int>(plan.width));
        const Softmax whole = Softmax::in(partial(0, head) + i * perBlock, call.Dv, plan.width);
        for (int64_t range = 1; range < plan.ranges; range++) mergeSoftmax(whole, Softmax::in(partial(range, head) + i * perBlock, call.Dv, plan.width), call.Dv, block.width);
        finishSoftmax(call, block, whole, out, logSumExp);
      }
  });
}

void attention(Run& run) {
  Attributes attributes = run.attributes();
  const AttentionCall call = attentionCall(run, attributes);
  const View& out = run.output(0);
  requireHeads(run, "the output", out, call.B, call.Tq, call.H, call.Dv);
  float* logSumExp = run.outputs() > 1 ? attentionStatistic(run, call, run.output(1)) : nullptr;
  if (out.size == 0 && logSumExp == nullptr) return;
  if (call.B == 0 || call.Tq == 0 || call.H == 0) return;
  const Plan plan = planOf(call);
  if (plan.isFew || plan.ranges > 1) attendInRanges(run, call, plan, out, logSumExp);
  else attendInBlocks(run, call, plan, out, logSumExp);
}

WEFT_KERNEL("attention", attention)

}  // namespace
}  // namespace weft::WEFT_ISA
