#!/usr/bin/env python3
"""Says which files are over 400 lines and which functions over 60 (failures), and how the folders stand
against their budgets (a report: a reader's patience, not a quota)."""

import re
import subprocess
import sys
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
BUDGETS = {  # folder: (lines, subfolders that do not count)
    "autograd": (2000, ["kernels"]),
    "autograd/kernels": (2000, []),
    "layers": (1500, ["models"]),
}
NO_FUNCTION = re.compile(r"\s*(namespace|class|struct|enum|union|template.*(class|struct) \w+ *(final)? *[:{]|#)")


def sources():
    listed = subprocess.run(["git", "ls-files", "*.hpp", "*.cpp"], capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split() if Path(name).exists()]


def functions(lines):
    """(first line, length, text) of each function at the level of a namespace or a class. The formatter makes
    this sure: a function ends with a brace at the indentation at which it began, all between is deeper."""
    for last, line in enumerate(lines):
        closed = re.match(r"( {0,2})\}(?!  // namespace)", line)
        if not closed:
            continue
        indentation = len(closed.group(1))
        for first in range(last - 1, -1, -1):
            text = lines[first]
            if text.strip() and len(text) - len(text.lstrip()) <= indentation and not text.startswith("#"):
                break
        if not NO_FUNCTION.match(lines[first]):
            yield first + 1, last - first + 1, lines[first].strip()


def main():
    failures = 0
    files = {path: path.read_text().splitlines() for path in sources()}
    for path, lines in files.items():
        if len(lines) > FILE_LINES:
            failures += 1
            print(f"{path}: {len(lines)} lines, more than {FILE_LINES}")
        for first, length, text in functions(lines):
            if length > FUNCTION_LINES:
                failures += 1
                print(f"{path}:{first}: a function of {length} lines, more than {FUNCTION_LINES}: {text}")
    for folder, (budget, excluded) in BUDGETS.items():
        out = [f"{folder}/{name}/" for name in excluded]
        total = sum(
            len(lines)
            for path, lines in files.items()
            if str(path).startswith(folder + "/") and not any(str(path).startswith(prefix) for prefix in out)
        )
        remark = "" if total <= 1.1 * budget else "   over"
        print(f"{folder:18} {total:5} lines of about {budget}{remark}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
