// All kernels by name and instruction set, as the kernel files have registered them.
#pragma once
#include <string>
#include <vector>

#include "kernel.h"

namespace weft {

struct Kernel {
  std::string name;
  KernelFunction functions[isaCount] = {};
  /** The best version for an instruction set: its own, else the next lower one. */
  KernelFunction best(Isa isa) const;
};

/** In the order of their names; an index into it is an operation's code. */
const std::vector<Kernel>& kernels();

/** The best instruction set of this processor. */
Isa detectIsa();
const char* isaName(Isa isa);

}  // namespace weft
