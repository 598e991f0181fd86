#!/usr/bin/env python3
"""Fails where an include goes against the one direction:

    examples, bench  ->  layers, optim  ->  autograd  ->  autograd/kernels

Kernels include nothing above them; xsimd appears in kernels only; layers, optim and programs never touch a
kernel. The heavy headers (CLI11, nlohmann-json) appear in one .cpp each. heed.hpp includes every header that
is for users."""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
# folder: what its files may include (the first matching folder of a path counts)
ALLOWED = {
    "autograd/kernels": ["autograd/kernels"],
    "autograd": ["autograd", "autograd/kernels"],
    "layers": ["layers", "autograd"],
    "optim": ["optim", "autograd"],
    "examples": ["examples", "layers", "optim", "autograd", "heed.hpp"],
    "bench": ["bench", "examples", "layers", "optim", "autograd", "autograd/kernels", "heed.hpp"],
    "tests": ["tests", "bench", "examples", "layers", "optim", "autograd", "autograd/kernels", "heed.hpp"],
}
# Doors through which a folder reaches what it otherwise may not, and doors that are closed to it.
OPEN = {"examples": ["autograd/kernels/parallel.hpp"]}
CLOSED = {"layers": ["autograd/simd.hpp"], "examples": ["autograd/simd.hpp"]}
ONCE = {"CLI/": "examples", "nlohmann/": "examples"}  # heavy headers: one .cpp of that folder
INTERNAL = {"autograd/simd.hpp"}  # headers that users have no need of
SYSTEM_ONLY = {"xsimd/": ["autograd/kernels", "bench", "tests"], "omp.h": ["autograd/kernels"]}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def folder_of(path):
    for folder in ALLOWED:
        if path.startswith(folder + "/"):
            return folder
    return path


def main():
    faults, heavy = [], {}
    for path in sorted(p for folder in ALLOWED for p in (ROOT / folder).rglob("*.?pp")):
        name = str(path.relative_to(ROOT))
        folder = folder_of(name)
        for own, system in INCLUDE.findall(path.read_text()):
            target = own or system
            if own:
                if own in OPEN.get(folder, []):
                    continue
                if not (ROOT / own).exists():
                    faults.append(f'{name}: "{own}" is no path from the root')
                elif folder_of(own) not in ALLOWED[folder] or own in CLOSED.get(folder, []):
                    faults.append(f'{name}: {folder} may not include "{own}"')
                continue
            for header, allowed in SYSTEM_ONLY.items():
                if target.startswith(header) and folder not in allowed:
                    faults.append(f"{name}: <{target}> belongs into {allowed[0]} only")
            for header, home in ONCE.items():
                if target.startswith(header):
                    heavy.setdefault(header, set()).add(name)
                    if folder != home or not name.endswith(".cpp"):
                        faults.append(f"{name}: <{target}> belongs into one .cpp of {home}")
    for header, names in heavy.items():
        if len(names) > 1:
            faults.append(f"<{header}...> is included by more than one file: {', '.join(sorted(names))}")
    umbrella = (ROOT / "heed.hpp").read_text()
    for folder in ("autograd", "layers", "optim"):
        for path in (ROOT / folder).rglob("*.hpp"):
            name = str(path.relative_to(ROOT))
            if folder_of(name) != "autograd/kernels" and name not in INTERNAL and f'"{name}"' not in umbrella:
                faults.append(f"heed.hpp: {name} is missing")
    faults = sorted(set(faults))
    print("\n".join(faults) if faults else "all includes go one way")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
