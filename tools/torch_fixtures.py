#!/usr/bin/env python3
"""Writes tests/fixtures/torch/: what PyTorch computes, with which tests/*/torch_parity.cpp compare heed.

usage, from the root, where PyTorch is installed (Debian: python3-torch; the files were made with 1.13):

    /usr/bin/python3 tools/torch_fixtures.py

The files are in the repository; tests and CI only read them and nobody needs PyTorch for that. Run this when a
case is added or changed, and look at `git diff`.

A line is `CASE/name size size ... : numbers`, row-major, with 17 significant digits. A case holds inputs and
parameters (named as in torch), outputs, and the gradients `name.grad` of L = sum of `output.projection` times
output, over all outputs: a plain sum would hide, for one, what adds up to a constant.

All is computed in float64. What goes in are multiples of 1/64, which float holds exactly, so that what differs
later is arithmetic and not rounded input. They come from Python's own generator, seeded by the case's name: the
same for every version of PyTorch, whose results may differ from machine to machine in the last digit.
"""

import random
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = Path("tests/fixtures/torch")


class Case:
    """The lines of one case, and its random numbers."""

    def __init__(self, name):
        self.name = name
        self.random = random.Random(name)
        self.lines = []

    def numbers(self, *shape):
        """Multiples of 1/64 in [-1, 1)."""
        count = torch.Size(shape).numel()
        # random() alone is promised to be the same in every version of Python.
        return torch.tensor([int(self.random.random() * 128) / 64 - 1 for _ in range(count)]).reshape(shape)

    def leaf(self, *shape):
        return self.numbers(*shape).requires_grad_()

    def fill(self, module):
        """Random numbers into all parameters, those too that begin as zeros or ones."""
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(self.numbers(*parameter.shape))
        return module

    def put(self, name, values):
        values = torch.as_tensor(values).detach()
        # Tests compare relative to the largest element, which must not be noise itself.
        assert values.isfinite().all() and values.abs().max() > 1 / 200, f"{self.name}/{name}"
        sizes = "".join(f" {size}" for size in values.shape)
        text = " ".join(f"{value:.17g}" for value in values.flatten().tolist())
        self.lines.append(f"{self.name}/{name}{sizes} : {text}\n")

    def finish(self, module, inputs, outputs):
        """Goes backward from the outputs' random projections and puts all that takes part."""
        loss = 0
        for name, output in outputs.items():
            projection = self.numbers(*output.shape)
            loss = loss + (projection * output).sum()
            self.put(name, output)
            self.put(f"{name}.projection", projection)
        loss.backward()
        for name, leaf in {**inputs, **dict(module.named_parameters())}.items():
            self.put(name, leaf)
            self.put(f"{name}.grad", leaf.grad)


def recurrent(kind, name, layers, bidirectional, lengths=None):
    """With lengths: a packed sequence, its rows in any order, begun with given states; without: from zeros."""
    batch, steps, size, hidden = 3, 4, 2, 4
    case = Case(f"{kind.__name__.lower()}-{name}")
    layer = case.fill(kind(size, hidden, layers, bidirectional=bidirectional, batch_first=True))
    inputs = {"x": case.leaf(batch, steps, size)}
    parts = ["h", "c"] if kind is nn.LSTM else ["h"]
    states = None
    if lengths:
        case.put("lengths", lengths)
        for part in parts:
            inputs[f"{part}_0"] = case.leaf(layers * (2 if bidirectional else 1), batch, hidden)
        states = tuple(inputs[f"{part}_0"] for part in parts)
        states = states if kind is nn.LSTM else states[0]
        packed = pack_padded_sequence(inputs["x"], lengths, batch_first=True, enforce_sorted=False)
        output, last = layer(packed, states)
        output = pad_packed_sequence(output, batch_first=True, total_length=steps)[0]
    else:
        output, last = layer(inputs["x"])
    last = last if kind is nn.LSTM else [last]
    case.finish(layer, inputs, {"y": output, **{f"{part}_n": state for part, state in zip(parts, last)}})
    return case


def recurrent_cases(kind):
    lengths = [2, 4, 3]
    return [
        recurrent(kind, "forward", 1, False),
        recurrent(kind, "forward-lengths", 1, False, lengths),
        recurrent(kind, "both", 1, True),
        recurrent(kind, "both-lengths", 1, True, lengths),
        recurrent(kind, "deep-lengths", 2, False, lengths),
        recurrent(kind, "deep-both-lengths", 2, True, lengths),
    ]


def hidden_slots(lengths, slots):
    """torch's key_padding_mask: true where a slot is hidden."""
    return torch.arange(slots) >= torch.tensor(lengths)[:, None]


def multihead(name, cross=False, lengths=None, hidden=None, causal=False):
    """Hidden slots: those beyond a row's length, or any, as bytes."""
    batch, queries, slots, size, heads = 2, 4, 5 if cross else 4, 6, 3
    case = Case(name)
    layer = case.fill(nn.MultiheadAttention(size, heads, batch_first=True))
    inputs = {"x": case.leaf(batch, queries, size)}
    if cross:
        inputs["source"] = case.leaf(batch, slots, size)
    padding = None
    if lengths:
        case.put("lengths", lengths)
        padding = hidden_slots(lengths, slots)
    if hidden:
        padding = torch.tensor(hidden)
        case.put("seen", (~padding).int())
    keys = inputs["source"] if cross else inputs["x"]
    future = torch.ones(queries, slots, dtype=torch.bool).triu(1) if causal else None
    y, weights = layer(
        inputs["x"], keys, keys, key_padding_mask=padding, attn_mask=future, average_attn_weights=False
    )
    case.put("weights", weights)
    case.finish(layer, inputs, {"y": y})
    return case


def multihead_cases():
    some = [[False, True, False, False, True], [True, False, False, True, False]]
    return [
        multihead("self"),
        multihead("self-lengths", lengths=[4, 2]),
        multihead("self-causal", causal=True),
        multihead("self-causal-lengths", lengths=[4, 2], causal=True),
        multihead("cross-lengths", cross=True, lengths=[3, 5]),
        multihead("cross-bytes", cross=True, hidden=some),
    ]


def encoder_layer(pre_norm, activation):
    batch, steps, size, heads, inner = 2, 4, 6, 2, 7
    case = Case(f"{'pre' if pre_norm else 'post'}-{activation}")
    layer = nn.TransformerEncoderLayer(
        size, heads, inner, dropout=0, activation=activation, batch_first=True, norm_first=pre_norm
    )
    case.fill(layer)
    inputs = {"x": case.leaf(batch, steps, size)}
    lengths = [2, 4]
    case.put("lengths", lengths)
    y = layer(inputs["x"], src_key_padding_mask=hidden_slots(lengths, steps))
    case.finish(layer, inputs, {"y": y})
    return case


def layer_norm(name, scale):
    case = Case(name)
    layer = case.fill(nn.LayerNorm(7))
    x = (case.numbers(2, 3, 7) * scale).requires_grad_()
    case.finish(layer, {"x": x}, {"y": layer(x)})
    return case


def embedding():
    """Ids that come once, twice, in every row; two never come."""
    case = Case("repeated")
    layer = case.fill(nn.Embedding(6, 3))
    ids = torch.tensor([[1, 4, 1, 0], [4, 1, 3, 4]])
    case.put("ids", ids)
    case.finish(layer, {}, {"y": layer(ids)})
    return case


def optimizer(kind, name, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    """Eight steps of two parameters, of which the vector has no gradient in every third."""
    case = Case(name)
    lr = 0.05
    case.put("options", [lr, *betas, eps, weight_decay])
    parameters = {"vector": case.leaf(5), "matrix": case.leaf(3, 3)}
    for parameter, p in parameters.items():
        case.put(parameter, p)
    stepper = kind(parameters.values(), lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
    for step in range(8):
        for parameter, p in parameters.items():
            p.grad = None if parameter == "vector" and step % 3 == 1 else case.numbers(*p.shape)
            if p.grad is not None:
                case.put(f"{parameter}.grad.{step}", p.grad)
        stepper.step()
        for parameter, p in parameters.items():
            case.put(f"{parameter}.after.{step}", p)
    return case


def optimizer_cases():
    return [
        optimizer(torch.optim.Adam, "adam"),
        optimizer(torch.optim.Adam, "adam-l2", weight_decay=0.1),
        optimizer(torch.optim.Adam, "adam-betas-eps", betas=(0.7, 0.95), eps=0.05),
        optimizer(torch.optim.AdamW, "adamw", weight_decay=0.1),
        optimizer(torch.optim.AdamW, "adamw-betas-eps", betas=(0.7, 0.95), eps=0.05, weight_decay=0.3),
    ]


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    files = {
        "gru": recurrent_cases(nn.GRU),
        "lstm": recurrent_cases(nn.LSTM),
        "multihead": multihead_cases(),
        "encoder_layer": [encoder_layer(pre, f) for pre in (True, False) for f in ("relu", "gelu")],
        "layer_norm": [layer_norm("wide", 1), layer_norm("near-eps", 1 / 128)],
        "embedding": [embedding()],
        "adam": optimizer_cases(),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, cases in files.items():
        text = "".join(line for case in cases for line in case.lines)
        (FOLDER / f"{name}.txt").write_text(text)
        print(f"{FOLDER}/{name}.txt: {len(cases)} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
