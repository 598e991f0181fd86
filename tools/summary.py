#!/usr/bin/env python3
"""Sums up what `meson test` logged: summary.py testlog.json... prints the output of what failed and, last,
`N passed, N failed`. A doctest program counts as its test cases, any other test as one. Fails when
something failed or when nothing ran."""

import json
import os
import re
import sys

CASES = re.compile(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")


def count(test):
    """(passed, failed) of one entry of the log."""
    output = test.get("stdout", "") + test.get("stderr", "")
    cases = CASES.search(re.sub(r"\x1b\[[0-9;]*m", "", output))
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if not cases:
        return (1, 0) if good else (0, 1)
    passed, failed = int(cases[1]), int(cases[2])
    if not good and failed == 0:  # died after its last case, say under a sanitizer
        failed = 1
    return passed, failed


def main():
    passed = failed = 0
    for name in sys.argv[1:]:
        if not os.path.exists(name):  # meson could not even begin
            print(f"---- {name} is missing: no test ran there")
            failed += 1
            continue
        for line in open(name, encoding="utf-8"):
            test = json.loads(line)
            good, bad = count(test)
            passed += good
            failed += bad
            if bad:
                text = (test.get("stdout", "") + test.get("stderr", "")).rstrip().splitlines()
                print(f"---- {test['name']} ({name}): {test['result']} after {test['duration']:.1f} s")
                print("\n".join(text[-60:]))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
