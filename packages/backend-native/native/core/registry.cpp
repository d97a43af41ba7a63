#include "registry.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace weft {
namespace {

std::map<std::string, Kernel>& byName() {
  static std::map<std::string, Kernel> table;
  return table;
}

#if defined(__x86_64__)
/** Older compilers do not know its name: bit 4 of EAX in leaf 7, sub-leaf 1. */
bool hasAvxVnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & 1u << 4) != 0;
}
#endif

CpuFeatures detectFeatures() {
  CpuFeatures features{};
  const char* wanted = std::getenv("WEFT_NATIVE_FEATURES");
  if (wanted != nullptr && std::strcmp(wanted, "none") == 0) return features;
#if defined(__x86_64__)
  __builtin_cpu_init();
  features.avx512Vnni = __builtin_cpu_supports("avx512vnni");
  features.avx512Bf16 = __builtin_cpu_supports("avx512bf16");
  features.avxVnni = __builtin_cpu_supports("avx2") && hasAvxVnni();
#endif
  return features;
}

}  // namespace

Registration::Registration(const char* name, Isa isa, KernelFunction kernel) {
  Kernel& entry = byName()[name];
  entry.name = name;
  entry.functions[static_cast<int>(isa)] = kernel;
}

KernelFunction Kernel::best(Isa isa) const {
  for (int level = static_cast<int>(isa); level >= 0; level--)
    if (functions[level] != nullptr) return functions[level];
  return nullptr;
}

const std::vector<Kernel>& kernels() {
  static const std::vector<Kernel> list = [] {
    std::vector<Kernel> all;
    for (auto& [name, kernel] : byName()) all.push_back(kernel);
    return all;
  }();
  return list;
}

Isa detectIsa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  if (avx2 && avx512) return Isa::avx512;
  if (avx2) return Isa::avx2;
#endif
  return Isa::baseline;
}

const char* isaName(Isa isa) {
  switch (isa) {
    case Isa::avx512: return "avx512";
    case Isa::avx2: return "avx2";
    default: return "baseline";
  }
}

const CpuFeatures& cpuFeatures() {
  static const CpuFeatures features = detectFeatures();
  return features;
}

}  // namespace weft
