// The gradient of the bias: those of the scores, summed over the axes along which the bias was repeated. They are made again here, a piece of
// the bias a task, so that there is no matrix of scores in memory and the order of the sums is fixed.
#include <type_traits>

#include "attention-gradient.h"
#include "attention-math.h"

namespace weft::WEFT_ISA {
namespace {

constexpr int64_t taskWork = 1 << 20;

/** A piece of the bias: `keys` keys from `key` on, for one index of batch, head and block of tokens, of which each may stand for all. */
struct Piece {
  int64_t batch, head, block;
  int64_t key, keys;
};

struct TaskMemory {
  float* lanes;
  float* weights;
  float* ofScores;
  float* sums;  // [gradientKeyStep][laneWidth]
  float* slopes;
  float* keys;
  float* values;
};

TaskMemory memoryOf(Run& run, int worker, const AttentionCall& call) {
  const int64_t square = gradientKeyStep * laneWidth;
  const int64_t ofLanes = GradientLanes::floats(call, laneWidth);
  float* memory = run.scratchOf<float>(worker, 0, ofLanes + 4 * square + gradientKeyStep * (call.Dh + call.Dv));
  float* squares = memory + ofLanes;
  return {memory, squares, squares + square, squares + 2 * square, squares + 3 * square, squares + 4 * square, squares + 4 * square + gradientKeyStep * call.Dh};
}

/** Adds the gradients of the scores of one head, one block of tokens. */
void addHead(const AttentionGradients& all, const TaskMemory& memory, const Piece& piece, int64_t b, int64_t head, int64_t firstToken) {
  const AttentionCall& call = all.call;
  const int count = static_cast<int>(min<int64_t>(laneWidth, call.Tq - firstToken));
  GradientLanes lanes;
  lanes.block = {b, head / call.G, head, 1, firstToken, count, static_cast<int>(ceilDiv(count, VW)) * VW};
  lanes.stride = laneWidth;
  readRules(call, lanes.block, lanes.rules);
  const int64_t keys = min(piece.keys, endOfSight(call, b, lanes.rules) - piece.key);
  if (keys <= 0) return;
  const Sight sight = sightOf(call, b, lanes.rules, piece.key, keys);
  if (sight == Sight::none) return;
  fillGradientLanes(all, lanes, memory.lanes);
  weightsAgain(all, lanes, sight, keyRows(*call.k, all.copiesKeys, b, lanes.block.keyHead, piece.key, keys, memory.keys), piece.key, keys, memory.weights, memory.slopes);
  gradientsOfScores(all, lanes, keyRows(*call.v, all.copiesValues, b, lanes.block.keyHead, piece.key, keys, memory.values), keys, memory.weights, nullptr, memory.ofScores);
  for (int64_t j = 0; j < keys; j++)
    for (int lane = 0; lane < lanes.block.width; lane += VW) {
      const int64_t place = j * laneWidth + lane;
      const vf x = load(memory.ofScores + place);
      const int used = lanes.block.count - lane;
      vf kept = x;
      for (int i = max(0, used); i < VW; i++) kept[i] = 0;
      store(memory.sums + place, load(memory.sums + place) + kept);
    }
}

template <class T> void writePiece(const TaskMemory& memory, const Piece& piece, T* row, int64_t rowStride, int64_t tokens, bool isForAllTokens) {
  for (int64_t j = 0; j < piece.keys; j += VW) {
    const int n = static_cast<int>(min<int64_t>(VW, piece.keys - j));
    vf total = {};
    for (int lane = 0; lane < laneWidth; lane += VW) {
      vf square[VW];
      for (int i = 0; i < VW; i++) square[i] = i < n ? load(memory.sums + (j + i) * laneWidth + lane) : vf{};
      transpose(square);
      if (isForAllTokens)
        for (int i = 0; i < VW; i++) total += square[i];
      else
        for (int i = 0; i < VW && lane + i < tokens; i++) storeAs(row + (lane + i) * rowStride + j, square[i], n);
    }
    if (isForAllTokens) storeAs(row + j, total, n);
  }
}

void makePiece(Run& run, int worker, const AttentionGradients& all, const Piece& piece) {
  const AttentionCall& call = all.call;
  const View& out = *all.of[biasSlot];
  const TaskMemory memory = memoryOf(run, worker, call);
  const bool isForAllTokens = out.dims[2] != call.Tq;
  const auto span = [](int64_t size, int64_t whole, int64_t index, int64_t& begin, int64_t& end) {
    begin = size == whole ? index : 0;
    end = size == whole ? index + 1 : whole;
  };
  int64_t firstBatch, lastBatch, firstHead, lastHead, firstBlock, lastBlock;
  span(out.dims[0], call.B, piece.batch, firstBatch, lastBatch);
  span(out.dims[1], call.H, piece.head, firstHead, lastHead);
  firstBlock = isForAllTokens ? 0 : piece.block;
  lastBlock = isForAllTokens ? ceilDiv(call.Tq, laneWidth) : piece.block + 1;
  memset(memory.sums, 0, static_cast<size_t>(gradientKeyStep * laneWidth) * sizeof(float));
  for (int64_t b = firstBatch; b < lastBatch; b++)
    for (int64_t head = firstHead; head < lastHead; head++)
      for (int64_t block = firstBlock; block < lastBlock; block++) addHead(all, memory, piece, b, head, block * laneWidth);
  const int64_t firstToken = isForAllTokens ? 0 : piece.block * laneWidth;
  const int64_t row = (piece.batch * out.dims[1] + piece.head) * out.dims[2] + firstToken;
  withFloatType(out.dtype, "attentionBackward", [&](auto* type) {
    writePiece(memory, piece, out.as<std::remove_pointer_t<decltype(type)>>() + row * call.Tk + piece.key, call.Tk, min<int64_t>(laneWidth, call.Tq - firstToken), isForAllTokens);
  });
}

}  // namespace

void attentionBiasGradient(Run& run, const AttentionGradients& all) {
  const AttentionCall& call = all.call;
  const View& out = *all.of[biasSlot];
  if (out.size == 0) return;
  const int64_t blocks = out.dims[2] == call.Tq ? ceilDiv(call.Tq, laneWidth) : 1;
  const int64_t pieces = ceilDiv(call.Tk, gradientKeyStep);
  const int64_t count = out.dims[0] * out.dims[1] * blocks * pieces;
  const int64_t work = max<int64_t>(1, call.B * call.H * call.Tq * call.Tk / count * (call.Dh + call.Dv));
  run.parallelRanges(count, max<int64_t>(1, taskWork / work), [&](int64_t begin, int64_t end, int worker) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t key = task % pieces * gradientKeyStep, rest = task / pieces;
      const int64_t head = rest / blocks;
      makePiece(run, worker, all, {head / out.dims[1], head % out.dims[1], rest % blocks, key, min(gradientKeyStep, call.Tk - key)});
    }
  });
}

}  // namespace weft::WEFT_ISA
