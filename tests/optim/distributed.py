"""Runs the examples on several ranks and compares them with one, kills ranks, and gives them different settings.

usage: distributed.py FOLDER-OF-PROGRAMS float|double [PART...]   PART: curves, programs, errors, paths, threads, kills"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

folder = pathlib.Path(sys.argv[1]).resolve()
double = sys.argv[2] == "double"
parts = sys.argv[3:] or ["curves", "programs", "errors", "paths", "threads", "kills"]
here = pathlib.Path(tempfile.mkdtemp())
# A container's only user may be root, its processes may not read each other's memory, and its processors be fewer than
# the ranks.
environment = dict(
    os.environ,
    OMPI_ALLOW_RUN_AS_ROOT="1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
    OMPI_MCA_btl_vader_single_copy_mechanism="none",
)
for name in ("HEED_NUM_THREADS", "HEED_ARCH"):
    environment.pop(name, None)
mpirun = ["mpirun", "--oversubscribe"]
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}")


def run(command, timeout=120, **options):
    begin = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False, **options)
    done.seconds = time.monotonic() - begin
    return done


def results(ranks, program, *options, status=(0, 2)):
    """What the program wrote with --json on so many ranks; 0: without mpirun."""
    file = here / "results.json"
    file.unlink(missing_ok=True)
    launch = [*mpirun, "-np", str(ranks)] if ranks else []
    done = run([*launch, folder / program, *options, "--json", file])
    if done.returncode not in status or not file.exists():
        print(done.stdout[-2000:], done.stderr[-2000:])
        raise SystemExit(f"{program} on {ranks} ranks: status {done.returncode}")
    return json.loads(file.read_text())


def farthest(a, b):
    """The largest relative difference of the numbers in two results, times and what follows from them aside."""
    if isinstance(a, dict):
        return max((farthest(a[key], b[key]) for key in a if "second" not in key), default=0)
    if isinstance(a, list):
        return max(map(farthest, a, b), default=0) if len(a) == len(b) else float("inf")
    if isinstance(a, float):
        return abs(a - b) / max(abs(a), abs(b), 1e-300)
    return 0 if a == b else float("inf")


def curves():
    """One global batch on 1, 2 and 4 ranks: the same losses; and the same bits again."""
    for options in (["--steps", "200"], ["--steps", "40", "--model", "transformer", "--label-smoothing", "0.1"]):
        losses = {n: results(n, "reverse", *options)["training"]["losses"] for n in (0, 1, 2, 4)}
        check(losses[0] == losses[1], f"reverse {options}: without mpirun and on 1 rank")
        for n in (2, 4):
            apart = farthest(losses[1], losses[n])
            print(f"reverse {' '.join(options)}: {n} ranks, losses differ by at most {apart:.1e}")
            check(len(losses[n]) == int(options[1]), f"reverse {options}: losses of every step")
            check(apart <= (1e-12 if double else 1e-5), f"reverse {options}: {n} ranks against 1: {apart}")
            again = results(n, "reverse", *options)["training"]["losses"]
            check(again == losses[n], f"reverse {options}: {n} ranks twice")
    dropped = [results(n, "reverse", "--steps", "20", "--dropout", "0.3")["training"]["losses"] for n in (1, 2, 2)]
    check(dropped[1] == dropped[2], "with dropout, 2 ranks twice")
    check(dropped[0] != dropped[1], "each rank drops features of its own")


def programs():
    """Every kind of training loop: what is learned, and what is found of it, is the same."""
    pairs = "".join(f"{' '.join(w)}\t{' '.join(w[::-1])}\n" for w in ("abc", "bca", "cab", "ab", "ba", "cc", "abcabc"))
    (here / "pairs.tsv").write_text(pairs)
    (here / "text.txt").write_text("to heed is to attend, and to attend is to choose what to heed. " * 20)
    translate = ["--train", here / "pairs.tsv", "--dev", here / "pairs.tsv", "--epochs", "3", "--batch", "3"]
    text = ["--text", here / "text.txt", "--steps", "6", "--every", "3", "--size", "16", "--layers", "1", "--heads", "2",
            "--block", "8", "--batch", "5", "--length", "4"]
    for program, *options in (
        ["copy", "--steps", "8", "--guided", "0.5", "--doubly-stochastic", "0.5", "--batch", "5"],
        ["translate", *translate, "--dropout", "0"],
        ["language_model", *text],
        ["language_model", *text, "--accumulate", "2"],
        ["sort", "--steps", "5", "--hidden", "8", "--no-contrast"],
        ["copy_unseen", "--steps", "5", "--hidden", "8", "--batch", "7", "--no-contrast"],
        ["recall", "--steps", "5"],
        ["lookback", "--steps", "5", "--no-contrast"],
        ["window", "--steps", "5", "--no-contrast", "--batch", "2"],
        ["zoo", "--steps", "10", "--scorers", "dot,location", "--normalizers", "softmax,local_p"],
        ["honest", "--quick", "--orders", "luong", "--values", "states", "--normalizers", "softmax"],
    ):  # fmt: skip
        one, two = (results(n, program, *options) for n in (1, 3))
        apart = farthest(one, two)
        print(f"{program}: 3 ranks, results differ by at most {apart:.1e}")
        check(apart <= (1e-9 if double else 1e-3), f"{program} {options}: {apart}")


def sentences(done):
    """What the program itself says, without mpirun's frame of lines."""
    return re.findall(r"^(\w+: .*)$", re.sub(r"^-{60,}\n.*?^-{60,}\n", "", done.stderr, flags=re.M | re.S), re.M)


def wrong_sum():
    """A library whose sums of many numbers are wrong on rank 1, as from a broken network."""
    source, library = here / "wrong_sum.c", here / "wrong_sum.so"
    source.write_text(
        """#include <mpi.h>
        int MPI_Allreduce(const void* in, void* out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm ranks) {
          int rank, status = PMPI_Allreduce(in, out, n, type, op, ranks);
          PMPI_Comm_rank(ranks, &rank);
          if (rank == 1 && n > 1000 && type == MPI_FLOAT) *(float*)out += 1;
          return status;
        }"""
    )
    subprocess.run(["mpicc", "-shared", "-fPIC", source, "-o", library], check=True)
    return library


def errors():
    """One clear sentence, soon, and no results."""
    one, other = here / "one", here / "other"
    for place, line in ((one, "a\tb\n"), (other, "a\tc\n")):
        place.mkdir()
        (place / "pairs.tsv").write_text(line * 10)
    (one / "only.tsv").write_text("a\tb\n" * 10)
    reverse, translate = folder / "reverse", folder / "translate"
    altered = here / "reverse"
    shutil.copy(reverse, altered)
    with altered.open("ab") as file:
        file.write(b"another build")
    train = ["--epochs", "1", "--batch", "2", "--train"]
    forever = ["--steps", "1000000"]
    cases = {
        "the command line, --steps 1000000 --seed 2, differs from that of rank 0": [
            "-np", "1", reverse, *forever, ":", "-np", "1", reverse, *forever, "--seed", "2"],
        "the command line, (no arguments), differs from that of rank 0": [
            "-np", "1", reverse, *forever, ":", "-np", "1", reverse],
        "the command line, --help, differs from that of rank 0": [
            "-np", "1", reverse, *forever, ":", "-np", "1", reverse, "--help"],
        "the program, or its build, differs from that of rank 0": [
            "-np", "1", reverse, *forever, ":", "-np", "1", altered, *forever],
        "pairs.tsv differs from that of rank 0": [
            "-np", "1", "-wdir", one, translate, *train, "pairs.tsv", ":", "-np", "1", "-wdir", other, translate, *train, "pairs.tsv"],
        "only.tsv: cannot be opened": [
            "-np", "1", "-wdir", one, translate, *train, "only.tsv", ":", "-np", "1", "-wdir", other, translate, *train, "only.tsv"],
        "unknown option --no-such-option": ["-np", "3", reverse, "--no-such-option"],
        "cannot be written": ["-np", "2", reverse, *forever, "--json", "/no/such/folder/results.json"],
    }  # fmt: skip
    if os.uname().machine == "x86_64" and re.search(r"\bavx2\b", pathlib.Path("/proc/cpuinfo").read_text()):
        cases["the architecture, sse2 (HEED_ARCH chooses another), differs from that of rank 0"] = [
            "-np", "1", reverse, *forever, ":", "-np", "1", "-x", "HEED_ARCH=sse2", reverse, *forever]  # fmt: skip
    wrong = ["-np", "2", "-x", f"LD_PRELOAD={wrong_sum()}"]
    results = ["--steps", "3", "--json", here / "unwanted.json"]
    cases["reverse: rank 1: parameter 0 of shape (20, 32) differs from that of rank 0"] = [*wrong, reverse, *results]
    # a program that goes on after an error of one pair does not after this
    cases["zoo: rank 1: parameter 0 of shape (20, 32) differs from that of rank 0"] = [*wrong, folder / "zoo", *results]
    for expected, command in cases.items():
        done = run([*mpirun, *command], timeout=60)
        said = sentences(done)
        print(f"{said} after {done.seconds:.1f} s")
        check(done.returncode not in (0, 2), f"{expected}: status {done.returncode}")
        check(len(said) == 1 and expected in said[0], f"{expected}: found {said}")
        check(done.seconds < 15, f"{expected}: took {done.seconds:.0f} s")
    check(not (here / "unwanted.json").exists(), "results of ranks that differ were written")


def ranks_of(launcher):
    """The processes that a running mpirun started."""
    children = pathlib.Path(f"/proc/{launcher}/task/{launcher}/children")
    return [int(child) for child in children.read_text().split()]


def lives(process):
    status = pathlib.Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def paths():
    """Programs are compared by their content, wherever they stand."""
    copies = [here / name / "reverse" for name in ("a place", "a nother")]
    for copy in copies:
        copy.parent.mkdir()
        shutil.copy(folder / "reverse", copy)
    done = run([*mpirun, "-np", "1", copies[0], "--steps", "2", ":", "-np", "1", copies[1], "--steps", "2"], timeout=60)
    check(done.returncode == 2 and not sentences(done), f"two paths: status {done.returncode}, {sentences(done)}")


def threads():
    """By default all ranks together have no more threads than there are processors."""
    cores = len(os.sched_getaffinity(0))
    for ranks in (1, 2, 3):
        command = [*mpirun, "--bind-to", "none", "-x", f"OMP_NUM_THREADS={cores}", "-np", str(ranks)]
        done = run([*command, folder / "reverse", "--threads", "0", "--steps", "2", "--profile"], timeout=60)
        found = re.search(r"on (\d+) threads?,", done.stderr)
        check(found is not None, f"{ranks} ranks: no profile in {done.stderr!r}")
        check(found is None or int(found[1]) == max(1, cores // ranks), f"{ranks} ranks: {found and found[0]}")


def kills(times=20):
    """Of two ranks one dies at a random moment, while it starts or trains."""
    random.seed(1)
    for i in range(times):
        command = [*mpirun, "-np", "2", folder / "reverse", "--steps", "1000000"]
        job = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while len(ranks := ranks_of(job.pid)) < 2:
            time.sleep(0.001)
        time.sleep(random.uniform(0, 2.5))
        victim = random.choice(ranks)
        os.kill(victim, signal.SIGKILL)
        begin = time.monotonic()
        try:
            said = job.communicate(timeout=30)[1]
        except subprocess.TimeoutExpired:
            job.kill()
            said = job.communicate()[1]
        seconds = time.monotonic() - begin
        sentence = re.search("mpirun noticed that process rank.*?exited on\n?.*?signal 9", said, re.S)
        print(f"kill {i + 1}: ended after {seconds:.1f} s with status {job.returncode}")
        check(seconds < 10, f"kill {i + 1}: the job went on for {seconds:.1f} s")
        check(job.returncode != 0, f"kill {i + 1}: status 0")
        check(sentence is not None, f"kill {i + 1}: no sentence in {said!r}")
        while any(lives(rank) for rank in ranks) and time.monotonic() - begin < 10:
            time.sleep(0.01)
        check(not any(lives(rank) for rank in ranks), f"kill {i + 1}: a rank lives on")


for part in parts:
    {"curves": curves, "programs": programs, "errors": errors, "paths": paths, "threads": threads, "kills": kills}[part]()
shutil.rmtree(here)
print(f"{len(failures)} failures")
sys.exit(bool(failures))
