// The door to JavaScript: a handful of functions over a queue. Everything else goes through the ring.
#include <node_api.h>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "queue.h"

namespace {

using namespace weft;

struct Backend {
  std::shared_ptr<Queue> queue;
  napi_threadsafe_function notify = nullptr;
  napi_env env = nullptr;
  std::unordered_map<int64_t, napi_ref> targets;  // arrays that reads write into: JavaScript's thread alone
  std::mutex mutex;                               // guards what follows
  std::vector<std::pair<int64_t, std::string>> finished;
};

void stopAtExit(void* data) {
  auto* backend = static_cast<Backend*>(data);
  backend->queue->stop(true);
  backend->notify = nullptr;  // the environment frees it by itself
}

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw KernelError(info != nullptr && info->error_message != nullptr ? info->error_message : "a call into Node failed");
}

/** Wraps a function so that C++ exceptions become JavaScript's. */
template <napi_value (*function)(napi_env, napi_value*, size_t)> napi_value guarded(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok) return nullptr;
  try {
    return function(env, arguments, count);
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, nullptr, "out of memory");
  } catch (const std::exception& problem) {
    napi_throw_error(env, nullptr, problem.what());
  }
  return nullptr;
}

Backend& backendOf(napi_env env, napi_value value) {
  void* data = nullptr;
  check(env, napi_get_value_external(env, value, &data));
  return *static_cast<Backend*>(data);
}

double numberOf(napi_env env, napi_value value) {
  double number = 0;
  check(env, napi_get_value_double(env, value, &number));
  return number;
}

napi_value numberValue(napi_env env, double number) {
  napi_value value;
  check(env, napi_create_double(env, number, &value));
  return value;
}

struct Bytes {
  void* data;
  size_t count;
};

Bytes bytesOf(napi_env env, napi_value value) {
  bool isTyped = false;
  check(env, napi_is_typedarray(env, value, &isTyped));
  if (!isTyped) throw KernelError("expected a typed array");
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  constexpr size_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  if (type > napi_biguint64_array) throw KernelError("expected an array of 8, 16, 32 or 64 bit elements");
  return {data, length * widths[type]};
}

void deliver(napi_env env, napi_value callback, void* context, void*) {
  auto& backend = *static_cast<Backend*>(context);
  std::vector<std::pair<int64_t, std::string>> finished;
  {
    std::lock_guard lock(backend.mutex);
    finished.swap(backend.finished);
  }
  if (env == nullptr) return;  // the environment is going down
  napi_value undefined;
  napi_get_undefined(env, &undefined);
  for (const auto& [request, error] : finished) {
    if (const auto target = backend.targets.find(request); target != backend.targets.end()) {
      napi_delete_reference(env, target->second);
      backend.targets.erase(target);
    }
    if (backend.targets.empty()) napi_unref_threadsafe_function(env, backend.notify);
    napi_value arguments[2] = {nullptr, undefined};
    napi_create_double(env, static_cast<double>(request), &arguments[0]);
    if (!error.empty()) napi_create_string_utf8(env, error.c_str(), error.size(), &arguments[1]);
    napi_call_function(env, undefined, callback, 2, arguments, nullptr);
  }
}

napi_value sharedArray(napi_env env, std::shared_ptr<Queue> queue, void* data, size_t bytes) {
  auto* owner = new std::shared_ptr<Queue>(std::move(queue));
  napi_value buffer;
  const auto release = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<Queue>*>(hint); };
  if (const napi_status status = napi_create_external_arraybuffer(env, data, bytes, release, owner, &buffer); status != napi_ok) {
    delete owner;
    check(env, status);
  }
  return buffer;
}

/** create(threads, instructionSet or −1, onRead) → { backend, ring, control, instructionSet, kernels } */
napi_value create(napi_env env, napi_value* arguments, size_t) {
  const int threads = static_cast<int>(numberOf(env, arguments[0]));
  const int wanted = static_cast<int>(numberOf(env, arguments[1]));
  const Isa best = detectIsa();
  if (wanted > static_cast<int>(best)) throw KernelError(std::string("this processor offers no more than ") + isaName(best));
  const Isa isa = wanted < 0 ? best : static_cast<Isa>(wanted);
  if (threads < 1 || threads > 256) throw KernelError("expected 1 to 256 threads");

  auto backend = std::make_unique<Backend>();
  backend->env = env;
  napi_value name;
  check(env, napi_create_string_utf8(env, "weft", NAPI_AUTO_LENGTH, &name));
  check(env, napi_create_threadsafe_function(env, arguments[2], nullptr, name, 0, 1, nullptr, nullptr, backend.get(), deliver, &backend->notify));
  check(env, napi_unref_threadsafe_function(env, backend->notify));
  const auto onRead = [raw = backend.get()](int64_t request, const std::string& error) {
    bool first = false;
    {
      std::lock_guard lock(raw->mutex);
      first = raw->finished.empty();
      raw->finished.emplace_back(request, error);
    }
    if (first) napi_call_threadsafe_function(raw->notify, nullptr, napi_tsfn_nonblocking);
  };
  try {
    backend->queue = std::make_shared<Queue>(threads, isa, onRead);
  } catch (...) {
    napi_release_threadsafe_function(backend->notify, napi_tsfn_abort);  // nobody has called it yet
    throw;
  }
  check(env, napi_add_env_cleanup_hook(env, stopAtExit, backend.get()));

  napi_value result, handle, kernelNames, text;
  check(env, napi_create_object(env, &result));
  Queue& queue = *backend->queue;
  check(env, napi_set_named_property(env, result, "ring", sharedArray(env, backend->queue, queue.ring(), ringWords * sizeof(double))));
  check(env, napi_set_named_property(env, result, "control", sharedArray(env, backend->queue, queue.control(), controlWords * sizeof(int32_t))));
  check(env, napi_create_string_utf8(env, isaName(isa), NAPI_AUTO_LENGTH, &text));
  check(env, napi_set_named_property(env, result, "instructionSet", text));
  const auto& all = kernels();
  check(env, napi_create_array_with_length(env, all.size(), &kernelNames));
  for (size_t i = 0; i < all.size(); i++) {
    // A kernel without a version for this instruction set is absent; its place stays, since places are codes.
    check(env, napi_create_string_utf8(env, all[i].best(isa) == nullptr ? "" : all[i].name.c_str(), NAPI_AUTO_LENGTH, &text));
    check(env, napi_set_element(env, kernelNames, static_cast<uint32_t>(i), text));
  }
  check(env, napi_set_named_property(env, result, "kernels", kernelNames));
  const auto finalize = [](napi_env finalEnv, void* data, void*) {
    auto* dead = static_cast<Backend*>(data);
    napi_remove_env_cleanup_hook(finalEnv, stopAtExit, dead);
    dead->queue->stop(true);
    if (dead->notify != nullptr) napi_release_threadsafe_function(dead->notify, napi_tsfn_abort);
    delete dead;
  };
  check(env, napi_create_external(env, backend.get(), finalize, nullptr, &handle));
  backend.release();
  check(env, napi_set_named_property(env, result, "backend", handle));
  return result;
}

/** wake(backend): there are commands in the ring and the threads may be asleep. */
napi_value wake(napi_env env, napi_value* arguments, size_t) {
  backendOf(env, arguments[0]).queue->wake();
  return nullptr;
}

/** waitForProgress(backend, tail): blocks until the ring has been read beyond `tail`. */
napi_value waitForProgress(napi_env env, napi_value* arguments, size_t) {
  backendOf(env, arguments[0]).queue->waitForProgress(static_cast<int32_t>(numberOf(env, arguments[1])));
  return nullptr;
}

/** stage(backend, bytes) → id of a copy, for the command that binds it to a handle. */
napi_value stage(napi_env env, napi_value* arguments, size_t) {
  const Bytes bytes = bytesOf(env, arguments[1]);
  return numberValue(env, static_cast<double>(backendOf(env, arguments[0]).queue->stage(bytes.data, bytes.count)));
}

/** stageCommand(backend, words) → id of a command that is too long for the ring. */
napi_value stageCommand(napi_env env, napi_value* arguments, size_t) {
  const Bytes bytes = bytesOf(env, arguments[1]);
  return numberValue(env, static_cast<double>(backendOf(env, arguments[0]).queue->stageCommand(static_cast<const double*>(bytes.data), bytes.count / sizeof(double))));
}

struct ReadRequest {
  int64_t request;
  Bytes target;
  int32_t head;
};

ReadRequest readRequestOf(napi_env env, napi_value* arguments) {
  return {static_cast<int64_t>(numberOf(env, arguments[1])), bytesOf(env, arguments[2]), static_cast<int32_t>(numberOf(env, arguments[3]))};
}

/** read(backend, request, target, head): the read command that ends at `head` in the ring will fill `target`; then onRead is called. */
napi_value read(napi_env env, napi_value* arguments, size_t) {
  Backend& backend = backendOf(env, arguments[0]);
  const auto [request, target, head] = readRequestOf(env, arguments);
  napi_ref reference;
  check(env, napi_create_reference(env, arguments[2], 1, &reference));
  if (backend.targets.empty()) napi_ref_threadsafe_function(env, backend.notify);  // an awaited read keeps the process alive
  backend.targets.emplace(request, reference);
  backend.queue->publishRead(request, target.data, target.count, false, head);
  return nullptr;
}

/** readSync(backend, request, target, head) → undefined, or the error's text. */
napi_value readSync(napi_env env, napi_value* arguments, size_t) {
  Backend& backend = backendOf(env, arguments[0]);
  const auto [request, target, head] = readRequestOf(env, arguments);
  backend.queue->publishRead(request, target.data, target.count, true, head);
  const std::string error = backend.queue->waitForRead(request);
  if (error.empty()) return nullptr;
  napi_value text;
  check(env, napi_create_string_utf8(env, error.c_str(), error.size(), &text));
  return text;
}

/** statistics(backend) → { liveBytes, peakLiveBytes, keptBytes, peakTotalBytes } of the buffers as the system sees them. */
napi_value statistics(napi_env env, napi_value* arguments, size_t) {
  const Pool::Statistics now = backendOf(env, arguments[0]).queue->pool().statistics();
  napi_value result;
  check(env, napi_create_object(env, &result));
  const std::pair<const char*, size_t> entries[] = {{"liveBytes", now.liveBytes}, {"peakLiveBytes", now.peakLiveBytes}, {"keptBytes", now.keptBytes}, {"peakTotalBytes", now.peakTotalBytes}};
  for (const auto& [key, value] : entries) check(env, napi_set_named_property(env, result, key, numberValue(env, static_cast<double>(value))));
  return result;
}

/** stop(backend): runs what is enqueued, ends the threads, frees all buffers. */
napi_value stop(napi_env env, napi_value* arguments, size_t) {
  Backend& backend = backendOf(env, arguments[0]);
  backend.queue->stop(false);
  if (backend.notify != nullptr) napi_release_threadsafe_function(backend.notify, napi_tsfn_release);
  backend.notify = nullptr;
  return nullptr;
}

napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"create", nullptr, guarded<create>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"wake", nullptr, guarded<wake>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"waitForProgress", nullptr, guarded<waitForProgress>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"stage", nullptr, guarded<stage>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"stageCommand", nullptr, guarded<stageCommand>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"read", nullptr, guarded<read>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"readSync", nullptr, guarded<readSync>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"statistics", nullptr, guarded<statistics>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"stop", nullptr, guarded<stop>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
