#!/usr/bin/env python3
"""THE rules of who may include whom; fails where an include breaks one. They go one way:

    examples, bench  ->  layers, optim  ->  autograd  ->  autograd/kernels
"""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

# What the files of a folder may include of heed, besides that folder itself: folders, single files, and files
# that are closed to them although their folder is open. (A file belongs to the first folder that fits.)
LIBRARY = ["layers", "optim", "autograd"]
MAY_INCLUDE = {
    "autograd/kernels": [],  # loops on raw pointers know nothing of tensors
    "autograd": ["autograd/kernels"],  # by way of autograd/simd.hpp
    "layers": ["autograd", "not autograd/simd.hpp"],  # made of ops: a layer never calls a kernel
    "optim": ["autograd"],  # with simd.hpp: an update is a loop over numbers
    "examples": [*LIBRARY, "heed.hpp", "not autograd/simd.hpp", "autograd/kernels/parallel.hpp"],  # --threads
    "bench/peers": ["bench/support"],  # a peer's program contains nothing of heed
    "bench/support": ["autograd/kernels"],
    "bench": [*LIBRARY, "heed.hpp", "examples", "autograd/kernels", "bench/support"],
    "tests": [*LIBRARY, "heed.hpp", "examples", "autograd/kernels", "bench"],
}
# Headers of others, and the folders that may include them.
OTHERS = {
    "xsimd/": ["autograd/kernels"],
    "omp.h": ["autograd/kernels"],
    "CLI/": ["examples"],
    "nlohmann/": ["examples"],
    "benchmark/": ["bench"],
    "torch/": ["bench/peers"],
    "oneapi/": ["bench/peers"],
    "Eigen/": ["bench/peers"],
    "cblas.h": ["bench/peers"],
}
ONE_CPP = ["CLI/", "nlohmann/", "omp.h"]  # in one .cpp, because they cost seconds or because it is the one door
# heed.hpp reaches every header of the library except kernels and
NOT_FOR_USERS = ["autograd/simd.hpp", "autograd/ops/score_rows.hpp", "autograd/ops/attention_tiles.hpp"]

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def folder_of(path):
    for folder in MAY_INCLUDE:
        if path.startswith(folder + "/"):
            return folder
    return path


def may_include(folder, target):
    rules = MAY_INCLUDE[folder]
    if f"not {target}" in rules:
        return False
    return target in rules or folder_of(target) in [folder, *rules]


def faults_of(name, own, other, seen):
    """What is wrong with one include, "own" or <other>, of file `name`. `seen` collects who includes ONE_CPP."""
    folder = folder_of(name)
    if own and not (ROOT / own).exists():
        yield f'{name}: "{own}" is no path from the root'
    elif own and not may_include(folder, own):
        yield f'{name}: {folder} may not include "{own}"'
    for header, folders in OTHERS.items():
        if not other.startswith(header):
            continue
        if folder not in folders:
            yield f"{name}: <{other}> belongs into {' and '.join(folders)} only"
        if header in ONE_CPP:
            seen.setdefault(header, set()).add(name)
            if not name.endswith(".cpp"):
                yield f"{name}: <{other}> belongs into a .cpp"


def reached(name, names):
    """The files that `name` includes, and those that these include, added to `names`."""
    for own, _ in INCLUDE.findall((ROOT / name).read_text()):
        if own and own not in names and (ROOT / own).exists():
            names.add(own)
            reached(own, names)
    return names


def main():
    faults, seen = set(), {}
    for path in (p for folder in MAY_INCLUDE for p in (ROOT / folder).rglob("*.?pp")):
        for own, other in INCLUDE.findall(path.read_text()):
            faults.update(faults_of(str(path.relative_to(ROOT)), own, other, seen))
    for header, names in seen.items():
        if len(names) > 1:
            faults.add(f"<{header}...> is included by more than one file: {', '.join(sorted(names))}")
    umbrella = reached("heed.hpp", set())
    for path in (p for folder in LIBRARY for p in (ROOT / folder).rglob("*.hpp")):
        name = str(path.relative_to(ROOT))
        if folder_of(name) != "autograd/kernels" and name not in NOT_FOR_USERS and name not in umbrella:
            faults.add(f"heed.hpp: {name} is missing")
    print("\n".join(sorted(faults)) if faults else "all includes go one way")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
