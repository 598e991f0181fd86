#!/usr/bin/env python3
"""clang-tidy, two files at a time, over the float library and the examples: tidy.py BUILD_DIRECTORY.
The kernels are left out: clang-tidy reads xsimd for minutes and has nothing to say about such loops."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TARGETS = ("libheed.a.p/", "libheed_base.a.p/", "examples/")


def main():
    build = Path(sys.argv[1])
    commands = json.loads((build / "compile_commands.json").read_text())
    # One command per file: otherwise the double library would be read as well.
    commands = [c for c in commands if c["output"].startswith(TARGETS)]
    if not commands:
        print("clang-tidy: no file to read")
        return 1
    database = build / "tidy"
    database.mkdir(exist_ok=True)
    (database / "compile_commands.json").write_text(json.dumps(commands))

    def read(command):
        file = os.path.relpath(os.path.join(command["directory"], command["file"]))
        result = subprocess.run(
            ["clang-tidy", "-quiet", "-p", str(database), "--extra-arg=-Wno-unknown-warning-option", file],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            print(f"---- {file}\n{result.stdout}{result.stderr if not result.stdout else ''}", flush=True)
        return result.returncode

    with ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        failures = sum(code != 0 for code in pool.map(read, commands))
    print(f"clang-tidy: {len(commands)} files, {failures} with findings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
