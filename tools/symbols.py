"""Lists the weak symbols of a kernel library and fails on any that is not specific to its architecture.

The linker keeps one of several weak functions of the same name, whichever object comes first. If a unit that
is compiled for AVX2 emitted, say, std::max<float>, a program could take that copy for its baseline code and die
of an illegal instruction on an older processor.

    python3 tools/symbols.py NM MARK LIBRARY...   where MARK is the architecture's name in the symbols
"""

import subprocess
import sys


def check(nm: str, mark: str, library: str) -> int:
    listing = subprocess.run([nm, "-C", "--defined-only", library], check=True, capture_output=True, text=True)
    weak = []
    for line in listing.stdout.splitlines():
        fields = line.split(maxsplit=2)  # address, kind, name
        if len(fields) == 3 and fields[1] in "wWvVu":
            weak.append(fields[2])
    shared = [name for name in weak if mark not in name]
    for name in shared:
        print(f"{library}: weak symbol without {mark}: {name}")
    print(f"{len(weak)} weak symbols, {len(shared)} of them not specific to {mark}")
    return 1 if shared or not weak else 0


def main(nm: str, mark: str, *libraries: str) -> int:
    return 1 if not libraries or any([check(nm, mark, library) for library in libraries]) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
