"""PyTorch as a peer of the bench: matrix products, attention forward and backward, training steps of GPT-2 shapes."""
import contextlib
import time

import torch
from torch.nn import functional as F

from json_lines import peak_memory_bytes, serve
from torch_gpt import Gpt, load_flat, optimizer_for

dtypes = {"f32": torch.float32, "bf16": torch.bfloat16}
state = {}


def hello(request):
    torch.set_num_threads(request["threads"])
    return {"name": f"PyTorch {torch.__version__.split('+')[0]}", "threads": torch.get_num_threads()}


def product(request):
    """`a` and `b` are stored as `transposeA` and `transposeB` say, and multiplied as views; the result goes into one buffer."""
    batch, m, k, n = (request[key] for key in ("batch", "m", "k", "n"))
    dtype = dtypes[request["dtype"]]
    transpose_a, transpose_b = request["transposeA"], request["transposeB"]
    key = ("product", batch, m, k, n, request["dtype"], transpose_a, transpose_b)
    if state.get("productKey") != key:
        lead = () if batch == 1 else (batch,)
        a = torch.randn(*lead, *((k, m) if transpose_a else (m, k))).to(dtype)
        b = torch.randn(*lead, *((n, k) if transpose_b else (k, n))).to(dtype)
        a, b = (x.transpose(-1, -2) if flip else x for x, flip in ((a, transpose_a), (b, transpose_b)))
        state.update(productKey=key, a=a, b=b, out=torch.empty(*lead, m, n, dtype=dtype))
    a, b, out = state["a"], state["b"], state["out"]
    start = time.perf_counter()
    for _ in range(request["times"]):
        torch.matmul(a, b, out=out)
    return {"seconds": time.perf_counter() - start, "check": float(out.flatten()[0])}


def attention(request):
    batch, heads, length, size = (request[key] for key in ("batch", "heads", "length", "headDim"))
    key = ("attention", batch, heads, length, size, request["dtype"])
    if state.get("attentionKey") != key:
        make = lambda: torch.randn(batch, heads, length, size).to(dtypes[request["dtype"]])  # noqa: E731
        inputs = [make().requires_grad_() for _ in range(3)]
        state.update(attentionKey=key, inputs=inputs, upstream=make())
    inputs, upstream = state["inputs"], state["upstream"]
    start = time.perf_counter()
    for _ in range(request["times"]):
        mixed = F.scaled_dot_product_attention(*inputs, is_causal=True)
        gradients = torch.autograd.grad(mixed, inputs, upstream)
    return {"seconds": time.perf_counter() - start, "check": float(gradients[0].flatten()[0])}


def create(request):
    shape = request["shape"]
    model = Gpt(*(shape[key] for key in ("layers", "width", "heads", "vocabulary", "length")))
    if request.get("weights"):
        load_flat(model, request["weights"], request["names"])
    optimizer = optimizer_for(model, request["learningRate"], request["weightDecay"])
    loss_of = torch.compile(model) if request["compile"] else model
    state[request["id"]] = {"model": model, "optimizer": optimizer, "loss": loss_of, "clip": request["clip"], "bf16": request["bf16"]}
    return {"parameters": sum(p.numel() for p in model.parameters())}


def batches(request):
    state["batches"] = [
        tuple(torch.tensor(batch[key], dtype=torch.long).view(request["batch"], request["length"]) for key in ("ids", "targets"))
        for batch in request["batches"]
    ]
    return {}


def train(request):
    run = state[request["id"]]
    model, optimizer = run["model"], run["optimizer"]
    losses = []
    start = time.perf_counter()
    for step in range(request["from"], request["from"] + request["steps"]):
        ids, targets = state["batches"][step % len(state["batches"])]
        with torch.autocast("cpu", dtype=torch.bfloat16) if run["bf16"] else contextlib.nullcontext():
            loss = run["loss"](ids, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if run["clip"] is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), run["clip"])
        optimizer.step()
        losses.append(float(loss.detach()))
    return {"seconds": time.perf_counter() - start, "losses": losses}


def drop(request):
    state.pop(request["id"], None)
    return {}


def threads(request):
    torch.set_num_threads(request["threads"])
    return {}


kinds = {
    "hello": hello,
    "threads": threads,
    "product": product,
    "attention": attention,
    "create": create,
    "batches": batches,
    "train": train,
    "drop": drop,
    "memory": lambda request: {"bytes": peak_memory_bytes()},
}
serve(lambda request: kinds[request["kind"]](request))
