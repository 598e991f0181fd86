#!/usr/bin/env python3
"""The model of `language_model --preset nanogpt-cpu` in PyTorch: same sizes, initialization, schedule, optimizer, clipping
and measure (the whole validation text in consecutive blocks, every position counted).

    OMP_NUM_THREADS=2 python3 bench/peers/nanogpt.py TRAIN.txt VALID.txt [--seed 1] [--steps 2000]
"""

import argparse
import math
import os
import time

import torch
from torch import nn
from torch.nn import functional as F

SIZE, LAYERS, HEADS, BLOCK, BATCH = 128, 4, 4, 64, 12
LR, LOWEST, WARMUP = 1e-3, 1e-4, 100


class Norm(nn.Module):
    """LayerNorm without a bias, which PyTorch 1.13 lacks."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(SIZE))

    def forward(self, x):
        return F.layer_norm(x, (SIZE,), self.weight, None, 1e-5)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = Norm(), Norm()
        self.qkv = nn.Linear(SIZE, 3 * SIZE, bias=False)
        self.out = nn.Linear(SIZE, SIZE, bias=False)
        self.up = nn.Linear(SIZE, 4 * SIZE, bias=False)
        self.down = nn.Linear(4 * SIZE, SIZE, bias=False)
        self.register_buffer("hidden", torch.triu(torch.ones(BLOCK, BLOCK, dtype=torch.bool), 1))

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (y.view(b, t, HEADS, -1).transpose(1, 2) for y in self.qkv(self.norm1(x)).split(SIZE, 2))
        scores = (q @ k.transpose(2, 3)) / math.sqrt(SIZE // HEADS)
        weights = F.softmax(scores.masked_fill(self.hidden[:t, :t], -math.inf), -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(b, t, SIZE))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Model(nn.Module):
    def __init__(self, symbols):
        super().__init__()
        self.embedding, self.position = nn.Embedding(symbols, SIZE), nn.Embedding(BLOCK, SIZE)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = Norm()
        for name, p in self.named_parameters():
            if p.dim() == 2:  # what adds to the residual stream starts smaller
                branch = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * LAYERS) if branch else 0.02)

    def forward(self, x, y):
        h = self.embedding(x) + self.position.weight[: x.shape[1]]
        logits = self.norm(self.blocks(h)) @ self.embedding.weight.t()
        return F.cross_entropy(logits.flatten(0, 1), y.flatten())


def rate(step, steps):
    if step < WARMUP:
        return LR * (step + 1) / (WARMUP + 1)
    return LOWEST + 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (steps - WARMUP))) * (LR - LOWEST)


def whole_text(model, text):
    total, blocks = 0.0, (len(text) - 1) // BLOCK
    with torch.no_grad():
        for at in range(0, blocks, 100):
            n = min(100, blocks - at)
            piece = text[at * BLOCK : (at + n) * BLOCK + 1]
            total += model(piece[:-1].view(n, BLOCK), piece[1:].view(n, BLOCK)).item() * n * BLOCK
        rest = text[blocks * BLOCK :]  # the last block is shorter
        if len(rest) > 1:
            total += model(rest[None, :-1], rest[None, 1:]).item() * (len(rest) - 1)
    return total / (len(text) - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("train")
    parser.add_argument("valid")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))

    texts = [open(path, encoding="utf-8").read() for path in (options.train, options.valid)]
    number = {symbol: i for i, symbol in enumerate(sorted(set("".join(texts))))}
    train, valid = (torch.tensor([number[symbol] for symbol in text]) for text in texts)
    model = Model(len(number))
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0}], betas=(0.9, 0.99)
    )
    begin = time.time()
    for step in range(options.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options.steps)
        starts = torch.randint(len(train) - BLOCK, (BATCH,))
        pieces = torch.stack([train[i : i + BLOCK + 1] for i in starts])
        loss = model(pieces[:, :-1], pieces[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    seconds = time.time() - begin
    print(f"{sum(p.numel() for p in model.parameters())} parameters, trained in {seconds:.1f} s, "
          f"{1000 * seconds / options.steps:.1f} ms a step")
    print(f"validation {whole_text(model, valid):.4f} nats")


if __name__ == "__main__":
    main()
