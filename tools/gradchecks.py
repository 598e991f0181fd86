#!/usr/bin/env python3
"""Every op of ops.hpp has a gradcheck, or stands in the list of those that have no gradient.

A check names an op; one of several of that name by its second argument too: "sum", "sum(axis)", "sum(axes)".

usage: gradchecks.py ROOT
"""

import pathlib
import re
import sys

EXEMPT = {
    "argmax": "an index has no gradient",
    "top_k": "without gradient by contract: it selects",
    "one_hot": "made of numbers that have no gradient",
    "sample": "an index has no gradient",
    "gates": "a number of gates, no op",
    "state_parts": "a number of parts, no op",
}

root = pathlib.Path(sys.argv[1])
text = (root / "autograd/ops.hpp").read_text()
text = re.sub(r"//.*", "", text)
declared = re.findall(r"^(?:Tensor|Ids|TopK|int64_t|TensorList) (\w+)\(([^;]*)\);", text, re.M)
names = [name for name, _ in declared]
ops = set()
for name, arguments in declared:
    second = re.search(r",[^,]*?(\w+)\s*(?:=[^,]*)?(?:,|$)", arguments)
    ops.add(f"{name}({second[1]})" if names.count(name) > 1 and second else name)
if len(ops) < 40:
    sys.exit(f"only {len(ops)} ops found in ops.hpp: has its layout changed?")
tests = "".join(p.read_text() for p in (root / "tests/autograd").glob("*.cpp"))
checked = set(re.findall(r'check_gradient\(\s*"([\w()]+)"', tests))

for op in sorted(ops - checked - EXEMPT.keys()):
    print(f"{op}: in ops.hpp, but no check_gradient names it")
for op in sorted((checked | EXEMPT.keys()) - ops - {"reshape"}):
    print(f"{op}: named by a check or an exemption, but not in ops.hpp")
missing = (ops - checked - EXEMPT.keys()) | ((checked | EXEMPT.keys()) - ops - {"reshape"})
print(f"{len(ops)} ops, {len(ops & checked)} gradchecked, {len(EXEMPT)} exempt")
sys.exit(bool(missing))
