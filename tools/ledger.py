#!/usr/bin/env python3
"""Checks layers/LEDGER.md: every row names a file and what it declares, and a test that exists; every mechanism of
the library has a row.

usage: ledger.py [ROOT]"""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
LEDGER = "layers/LEDGER.md"
COLUMNS = 5  # mechanism, paper, code, test, deviation or ambiguity

# What must have a row: the modules of these folders, and these files' modules and functions.
FOLDERS = ["layers/scorers", "layers/normalizers", "layers/positions", "layers/models"]
FILES = ["layers/hard.hpp", "layers/coverage.hpp", "layers/attention_losses.hpp", "layers/multihead.hpp",
         "layers/transformer_block.hpp", "layers/norm.hpp", "layers/conv.hpp", "layers/glu.hpp",
         "layers/conv_stack.hpp", "layers/linear_attention.hpp"]
# Interfaces, and what only holds numbers.
NO_MECHANISM = {"Autoregressive", "Seq2Seq", "Encoder", "Decoder", "EncoderDecoder", "NoPositions", "Norm"}

MODULE = re.compile(r"^struct (\w+)(?: final)? : ", re.MULTILINE)
FUNCTION = re.compile(r"^(?:Tensor|Ids) (\w+)\(", re.MULTILINE)
CODE = re.compile(r"`([\w/.]+)`: ((?:`\w+`(?:, )?)+)")
TEST = re.compile(r"`([\w/.]+)`: \"(.+)\"")
# How a file of tests names one: a case of doctest; a function of a script.
TEST_NAMED = {".cpp": r'TEST_CASE\(\s*"{}"\)', ".py": r"^def {}\("}


def rows():
    for number, line in enumerate((ROOT / LEDGER).read_text().splitlines(), 1):
        if line.startswith("|") and not re.match(r"\|[\s|:-]*\|$|\| mechanism ", line):
            yield number, [cell.strip() for cell in line.strip("|").split("|")]


def faults_of(cells, named):
    """What is wrong with one row. `named` collects the names in its code cell."""
    if len(cells) != COLUMNS:
        yield f"{len(cells)} cells, expected {COLUMNS}"
        return
    code, test = CODE.fullmatch(cells[2]), TEST.fullmatch(cells[3])
    if not code:
        yield f"`{cells[2]}` is not `FILE`: `NAME`, `NAME`"
    elif not (ROOT / code[1]).exists():
        yield f"{code[1]} does not exist"
    else:
        text = (ROOT / code[1]).read_text()
        for name in re.findall(r"\w+", code[2]):
            named.add(name)
            if not re.search(rf"\b{name}\b", text):
                yield f"{code[1]} has no {name}"
    if not test:
        yield f"`{cells[3]}` is not `FILE`: \"TEST\""
    elif not (ROOT / test[1]).exists():
        yield f"{test[1]} does not exist"
    elif not re.search(TEST_NAMED[Path(test[1]).suffix].format(re.escape(test[2])), (ROOT / test[1]).read_text(), re.M):
        yield f"{test[1]} has no test \"{test[2]}\""
    if not cells[0] or not cells[1] or not cells[4]:
        yield "a cell is empty (write `none` where the paper leaves no doubt)"


def mechanisms():
    for path in sorted([p for folder in FOLDERS for p in (ROOT / folder).glob("*.hpp")] + [ROOT / f for f in FILES]):
        text = path.read_text()
        for name in MODULE.findall(text) + (FUNCTION.findall(text) if path.parent.name == "layers" else []):
            if name not in NO_MECHANISM:
                yield str(path.relative_to(ROOT)), name


def main():
    faults, named, seen = [], set(), set()
    for number, cells in rows():
        if cells[0] in seen:
            faults.append(f"{LEDGER}:{number}: {cells[0]} has a row already")
        seen.add(cells[0])
        faults += [f"{LEDGER}:{number}: {fault}" for fault in faults_of(cells, named)]
    faults += [f"{path}: {name} has no row in {LEDGER}" for path, name in mechanisms() if name not in named]
    print("\n".join(faults) if faults else f"every row of {LEDGER} holds, {len(named)} names")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
