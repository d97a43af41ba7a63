#include "attention-call.h"

#include <cmath>
#include <type_traits>

namespace weft::WEFT_ISA {
namespace {

bool isFloat(DType dtype) { return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16; }

void requireFloat(Run& run, const char* name, const View& view) {
  if (!isFloat(view.dtype)) fail("%s: expected %s of a float dtype", run.operation(), name);
}

TokenNumbers tokenNumbers(Run& run, int slot, const char* name, int64_t batch, int64_t length) {
  if (!run.has(slot)) return {nullptr, 0};
  const View& view = run.input(slot);
  if (view.dtype != DType::i32 || view.rank != 2 || (view.dims[0] != batch && view.dims[0] != 1) || view.dims[1] != length)
    fail("%s: expected %s i32 of shape [%lld or 1, %lld]", run.operation(), name, static_cast<long long>(batch), static_cast<long long>(length));
  return {view.as<int32_t>(), view.dims[0] == 1 ? 0 : length};
}

void readBias(Run& run, AttentionCall& call) {
  call.bias = nullptr;
  if (!run.has(biasSlot)) return;
  const View& bias = run.input(biasSlot);
  requireFloat(run, "bias", bias);
  const int64_t whole[3] = {call.B, call.H, call.Tq};
  if (bias.rank != 4 || bias.dims[3] != call.Tk) fail("%s: expected bias of shape [B|1, H|1, Tq|1, Tk]", run.operation());
  int64_t stride = call.Tk;
  for (int axis = 2; axis >= 0; axis--) {
    if (bias.dims[axis] != 1 && bias.dims[axis] != whole[axis]) fail("%s: expected bias of shape [B|1, H|1, Tq|1, Tk]", run.operation());
    call.biasStrides[axis] = bias.dims[axis] == 1 ? 0 : stride;
    stride *= bias.dims[axis];
  }
  call.bias = &bias;
}

const float* readSinks(Run& run, int64_t heads) {
  if (!run.has(sinkSlot)) return nullptr;
  const View& sinks = run.input(sinkSlot);
  if (sinks.rank != 1 || sinks.size != heads) fail("%s: expected sinks of shape [%lld]", run.operation(), static_cast<long long>(heads));
  if (sinks.dtype == DType::f32) return sinks.as<float>();
  float* wide = run.temporaryOf<float>(heads);
  withFloatType(sinks.dtype, run.operation(), [&](auto* type) {
    const auto* from = sinks.as<std::remove_pointer_t<decltype(type)>>();
    for (int64_t i = 0; i < heads; i += VW) {
      const int n = static_cast<int>(min<int64_t>(VW, heads - i));
      storeAs(wide + i, loadAs(from + i, n), n);
    }
  });
  return wide;
}

void readAttributes(Run& run, Attributes& attributes, AttentionCall& call) {
  call.isCausal = attributes.flag();
  const double window = attributes.number();
  call.softcap = static_cast<float>(attributes.number());
  call.scale = static_cast<float>(attributes.number());
  call.keyLengths = attributes.list();
  // Positions are i32: a window beyond their range is none.
  call.window = window > 0 && window < 0x1p32 ? static_cast<int64_t>(std::ceil(window)) : 0;
  const Attributes::List& lengths = call.keyLengths;
  if (lengths.count < 0) return;
  if (lengths.count != call.B) fail("%s: expected %lld keyLengths, got %lld", run.operation(), static_cast<long long>(call.B), static_cast<long long>(lengths.count));
  for (int64_t b = 0; b < lengths.count; b++)
    if (!(lengths.values[b] >= 0 && lengths.values[b] <= static_cast<double>(call.Tk))) fail("%s: expected keyLengths in 0 … %lld, got %g", run.operation(), static_cast<long long>(call.Tk), lengths.values[b]);
}

}  // namespace

void requireHeads(Run& run, const char* name, const View& view, int64_t d0, int64_t d1, int64_t d2, int64_t d3) {
  const bool fits = view.rank == 4 && view.dims[0] == d0 && view.dims[1] == d1 && view.dims[2] == d2 && view.dims[3] == d3;
  if (!fits) fail("%s: expected %s of shape [%lld, %lld, %lld, %lld]", run.operation(), name, static_cast<long long>(d0), static_cast<long long>(d1), static_cast<long long>(d2), static_cast<long long>(d3));
  requireFloat(run, name, view);
}

float* attentionStatistic(Run& run, const AttentionCall& call, const View& view) {
  if (view.dtype != DType::f32 || view.size != call.B * call.H * call.Tq) fail("%s: expected logSumExp f32 of shape [B, H, Tq]", run.operation());
  return view.as<float>();
}

AttentionCall attentionCall(Run& run, Attributes& attributes) {
  AttentionCall call{};
  const View& q = run.input(querySlot);
  const View& k = run.input(keySlot);
  const View& v = run.input(valueSlot);
  if (q.rank != 4 || k.rank != 4 || v.rank != 4) fail("%s: expected q, k and v of rank 4", run.operation());
  call.B = q.dims[0];
  call.Tq = q.dims[1];
  call.H = q.dims[2];
  call.Dh = q.dims[3];
  call.Tk = k.dims[1];
  call.K = k.dims[2];
  call.Dv = v.dims[3];
  requireHeads(run, "q", q, call.B, call.Tq, call.H, call.Dh);
  requireHeads(run, "k", k, call.B, call.Tk, call.K, call.Dh);
  requireHeads(run, "v", v, call.B, call.Tk, call.K, call.Dv);
  if (k.dtype != v.dtype) fail("%s: expected k and v of one dtype", run.operation());
  if (call.K == 0 ? call.H != 0 : call.H % call.K != 0) fail("%s: %lld query heads are no multiple of %lld key heads", run.operation(), static_cast<long long>(call.H), static_cast<long long>(call.K));
  call.G = call.K == 0 ? 0 : call.H / call.K;
  call.q = &q;
  call.k = &k;
  call.v = &v;
  call.queryPositions = tokenNumbers(run, queryPositionSlot, "queryPositions", call.B, call.Tq);
  call.keyPositions = tokenNumbers(run, keyPositionSlot, "keyPositions", call.B, call.Tk);
  call.querySegments = tokenNumbers(run, querySegmentSlot, "querySegments", call.B, call.Tq);
  call.keySegments = tokenNumbers(run, keySegmentSlot, "keySegments", call.B, call.Tk);
  if ((call.querySegments.data == nullptr) != (call.keySegments.data == nullptr)) fail("%s: expected querySegments and keySegments together", run.operation());
  readBias(run, call);
  call.sinks = readSinks(run, call.H);
  readAttributes(run, attributes, call);
  return call;
}

}  // namespace weft::WEFT_ISA
