#!/usr/bin/env python3
"""Turns the ```cpp blocks of Markdown files into programs, so that a test compiles and runs what the pages show.
Compares ```diff blocks with the files that they changed.

usage: snippets.py OUTPUT.cpp FILE.md...

A block whose first line is `// PATH` of a file here is a quotation: it has to stand there word for word. A block
with its own main() becomes a function that the output's main calls. Any other block is compiled inside
namespace heed, as if it stood in the library; a scorer is listed too, as those of the library are.
In a diff every hunk has to stand in its file as it was left, and nothing that it removed; a new file is all there.
"""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
output = pathlib.Path(sys.argv[1])


def fault_of_diff(diff):
    """What is not true any more of a block of `git diff`, or None."""
    for part in re.split(r"^diff --git .*\n", diff, flags=re.M)[1:]:
        name = re.search(r"^\+\+\+ b/(.*)$", part, re.M)[1]
        text = (root / name).read_text()
        hunks = [hunk.splitlines()[1:] for hunk in re.split(r"^(?=@@)", part, flags=re.M)[1:]]
        if not hunks:
            return f"no hunk of {name}"
        for hunk in hunks:
            left = "".join(line[1:] + "\n" for line in hunk if not line.startswith("-"))
            if left not in text or ("new file" in part and left != text):
                return f"a hunk does not stand in {name} any more"
            if any(line[1:] in text.splitlines() for line in hunk if line.startswith("-")):
                return f"what a hunk removes stands in {name}"
    return None


includes, blocks, calls = {'#include "heed.hpp"'}, [], []
for name in sys.argv[2:]:
    page = pathlib.Path(name)
    for diff in re.findall(r"^```diff\n(.*?)^```", page.read_text(), re.M | re.S):
        if fault := fault_of_diff(diff):
            sys.exit(f"{name}: {fault}; show it anew")
    for number, block in enumerate(re.findall(r"^```cpp\n(.*?)^```", page.read_text(), re.M | re.S)):
        quoted = re.match(r"// (\S+\.[ch]pp)\n", block)
        if quoted:
            if block[quoted.end() :] not in (root / quoted[1]).read_text():
                sys.exit(f"{name}: block {number} does not stand in {quoted[1]} any more; quote it anew")
            continue
        includes |= set(re.findall(r"^#include .*$", block, re.M))
        block = re.sub(r"^#include .*\n", "", block, flags=re.M)
        space = f"{page.parent.name or 'root'}_{page.stem.lower()}_{number}".replace("-", "_").replace(".", "")
        blocks.append(f"// {page.name}, block {number}\n")
        if "int main()" in block:
            block = block.replace("int main()", "void run()").replace("using namespace heed;\n", "")
            blocks.append(f"namespace {space} {{\nusing namespace heed;\n{block}}}  // namespace {space}\n")
            calls.append(f"  {space}::run();\n")
        else:
            scorer = re.search(r"^struct (\w+) : Scorer", block, re.M)
            if scorer:  # as scorers.cpp would list it
                block += f"[[maybe_unused]] constexpr KnownScorer listed = known_entry<KnownScorer, Scorer, {scorer[1]}>();\n"
            blocks.append(f"namespace heed::inline HEED_PRECISION {{\nnamespace {space} {{\n{block}}}\n}}\n")
if not calls:
    sys.exit("no ```cpp block with a main() found")
output.write_text("\n".join(sorted(includes)) + "\n\n" + "\n".join(blocks) + "\nint main() {\n" + "".join(calls) + "}\n")
