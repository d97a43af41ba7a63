"""GPT-2 in plain PyTorch modules, named as Weft names its parameters, so that both sides can start from the same numbers."""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attentionNorm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.feedForwardNorm = nn.LayerNorm(width)
        self.feedForward = FeedForward(width)

    def forward(self, x):
        x = x + self.attention(self.attentionNorm(x))
        return x + self.feedForward(self.feedForwardNorm(x))


class Gpt(nn.Module):
    """Tied head; initialised as GPT-2 is."""

    def __init__(self, layers, width, heads, vocabulary, length):
        super().__init__()
        self.embeddings = nn.ModuleDict({"token": nn.Embedding(vocabulary, width), "position": nn.Embedding(length, width)})
        self.layers = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.finalNorm = nn.LayerNorm(width)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                is_residual = name.endswith("output.weight") or name.endswith("down.weight")
                nn.init.normal_(parameter, std=0.02 / (math.sqrt(2 * layers) if is_residual else 1))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids, targets):
        x = self.embeddings["token"](ids) + self.embeddings["position"].weight[: ids.shape[1]]
        for block in self.layers:
            x = block(x)
        logits = F.linear(self.finalNorm(x), self.embeddings["token"].weight)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


def load_flat(model, path, names):
    """Reads float32 values laid end to end straight into the parameters, without a second copy."""
    parameters = dict(model.named_parameters())
    if sorted(parameters) != sorted(names):
        raise ValueError(f"parameters differ: {sorted(set(parameters) ^ set(names))}")
    with open(path, "rb") as file:
        for name in names:
            values = parameters[name].detach().numpy()
            if file.readinto(memoryview(values).cast("B")) != values.nbytes:
                raise ValueError(f"{path} ends within {name}")


def optimizer_for(model, learning_rate, weight_decay):
    """AdamW with PyTorch's fastest kernel: `fused`. No decay of biases and norms."""
    matrices = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.95), eps=1e-8, fused=True)
