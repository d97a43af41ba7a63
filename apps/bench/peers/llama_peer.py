"""llama.cpp (llama-cpp-python) as a peer of the bench: prefill of a prompt and greedy decoding, through the C API without copies."""
import ctypes
import time

import llama_cpp as llama
import numpy

from json_lines import peak_memory_bytes, serve

state = {}
quiet = llama.llama_log_callback(lambda level, text, data: None)


def hello(request):
    llama.llama_log_set(quiet, ctypes.c_void_p(0))
    llama.llama_backend_init()
    flags = llama.llama_print_system_info().decode()
    return {"name": f"llama.cpp (llama-cpp-python {llama.__version__})", "about": flags.strip(" |")}


def load(request):
    model = llama.llama_model_load_from_file(request["path"].encode(), llama.llama_model_default_params())
    if not model:
        raise ValueError(f"llama.cpp cannot load {request['path']}")
    settings = llama.llama_context_default_params()
    settings.n_ctx = request["context"]
    settings.n_batch = settings.n_ubatch = request["batch"]
    settings.n_threads = settings.n_threads_batch = request["threads"]
    context = llama.llama_init_from_model(model, settings)
    if not context:
        raise ValueError("llama.cpp cannot make a context")
    vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    state.update(model=model, context=context, vocabulary=vocabulary)
    return {"vocabulary": vocabulary, "bytes": llama.llama_model_size(model), "parameters": llama.llama_model_n_params(model)}


def decode(ids):
    tokens = (llama.llama_token * len(ids))(*ids)
    if llama.llama_decode(state["context"], llama.llama_batch_get_one(tokens, len(ids))) != 0:
        raise ValueError("llama_decode failed")
    row = llama.llama_get_logits_ith(state["context"], -1)
    return int(numpy.argmax(numpy.ctypeslib.as_array(row, (state["vocabulary"],))))


def run(request):
    """Seconds to the first token after the prompt, and seconds for the `tokens` after that one."""
    llama.llama_memory_clear(llama.llama_get_memory(state["context"]), True)
    start = time.perf_counter()
    newest = decode(request["prompt"])
    prefilled = time.perf_counter()
    new = [newest]
    for _ in range(request["tokens"]):
        newest = decode([newest])
        new.append(newest)
    return {"prefillSeconds": prefilled - start, "decodeSeconds": time.perf_counter() - prefilled, "ids": new}


kinds = {"hello": hello, "load": load, "run": run, "memory": lambda request: {"bytes": peak_memory_bytes()}}
serve(lambda request: kinds[request["kind"]](request))
