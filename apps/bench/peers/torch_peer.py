"""PyTorch as a peer of the bench: answers JSON lines. Matrix products and training steps of a GPT in plain PyTorch modules."""
import json
import sys

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        inner = ffn_size(width)
        self.gate, self.up, self.down = (nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False), nn.Linear(inner, width, bias=False))

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


def ffn_size(width):
    return -(-(8 * width // 3) // 32) * 32


class Model(nn.Module):
    def __init__(self, layers, width, heads, vocabulary):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.RMSNorm(width)

    def forward(self, ids):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.embed.weight.T


state = {}


def answer(request):
    kind = request["kind"]
    if kind == "hello":
        torch.set_num_threads(int(request.get("threads", torch.get_num_threads())))
        return {"name": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}
    if kind == "gemm":
        n = request["n"]
        if state.get("n") != n:
            state.update(n=n, a=torch.randn(n, n), b=torch.randn(n, n))
        for _ in range(request["times"]):
            result = state["a"] @ state["b"]
        return {"check": float(result[0, 0])}
    if kind == "train":
        shape = tuple(request[key] for key in ("layers", "width", "heads", "vocabulary"))
        if state.get("shape") != shape:
            model = Model(*shape)
            state.update(shape=shape, model=model, optimizer=torch.optim.AdamW(model.parameters(), lr=1e-3))
        ids = torch.randint(0, request["vocabulary"], (request["batch"], request["length"] + 1))
        for _ in range(request["steps"]):
            logits = state["model"](ids[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
            state["optimizer"].zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(state["model"].parameters(), 1.0)
            state["optimizer"].step()
        return {"loss": float(loss.detach())}
    raise ValueError(kind)


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
