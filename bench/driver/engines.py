"""Whom heed is measured beside, and in what environment each is at its best."""

import glob
import os
from pathlib import Path

# What a processor is told to be by `--isa`: everybody computes with the same instructions.
ISA = {
    "avx2": {
        "HEED_ARCH": "avx2",
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "BLIS_ARCH_TYPE": "3",  # BLIS 0.9 counts its architectures; 3 is haswell
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2",
    }
}

# What a shell may have told the peers counts for nothing here: this file does.
TUNING = ("OPENBLAS_", "BLIS_", "DNNL_", "ONEDNN_", "ATEN_", "MALLOC_")

# glibc gives a large block back to the system when it is freed, and the next one costs its page faults again:
# up to 2.8 times in attention. So: blocks from the heap alone, which never shrinks and grows by 64 MB.
KEEP_FREED_BLOCKS = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 26)}


class Engine:
    """A program, the library that it must be linked to at run time (a folder beside the system's), what is set."""

    def __init__(self, program, library=None, environment=None, most_threads=None, by_isa=False):
        self.program = program
        self.library = library
        self.settings = environment or {}
        self.most_threads = most_threads
        self.by_isa = by_isa  # a program of its own for each --isa

    def path(self, build, isa):
        return Path(build) / (self.program + (f"_{isa}" if isa and self.by_isa else ""))

    def environment(self, threads, isa):
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(TUNING)}
        env = {**inherited, **self.settings, "OMP_NUM_THREADS": str(threads)}
        if self.library:
            folders = glob.glob(f"/usr/lib/*/{self.library}/libblas.so.3")
            if not folders:
                raise SystemExit(f"{self.program}: /usr/lib/*/{self.library}/libblas.so.3 is missing")
            env["LD_LIBRARY_PATH"] = os.path.dirname(folders[0])
        return {**env, **told_processor(), **ISA.get(isa, {})}


HEED = Engine("bench/workloads_heed")
PEERS = {
    # Debian's default beside PyTorch, OpenBLAS-pthread, has threads of its own, which fight PyTorch's
    "PyTorch": Engine("bench/peers/workloads_torch", "openblas-openmp", KEEP_FREED_BLOCKS),
    "oneDNN": Engine("bench/peers/workloads_onednn"),
    "Eigen": Engine("bench/peers/workloads_eigen", most_threads=1, by_isa=True),
    "OpenBLAS": Engine("bench/peers/workloads_blas", "openblas-serial", most_threads=1),
    "BLIS": Engine("bench/peers/workloads_blas", "blis-serial", most_threads=1),
}


def told_processor():
    """What libraries older than the processor have to be told of it.

    OpenBLAS 0.3.21 takes Intel's newer processors for a Prescott of 2004 and computes with SSE3, AMD's with
    AVX-512 for ones with AVX2 (half the speed). BLIS 0.9 takes the latter for ones without either (a sixth).
    """
    try:
        cpu = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    flags = next((line.split() for line in cpu.splitlines() if line.startswith("flags")), [])
    if "avx512vl" in flags:
        told = {"OPENBLAS_CORETYPE": "SkylakeX"}
        return told if "GenuineIntel" in cpu else {**told, "BLIS_ARCH_TYPE": "0"}  # skx
    return {"OPENBLAS_CORETYPE": "Haswell"} if "GenuineIntel" in cpu and "avx2" in flags else {}


def loaded_libraries(pid):
    """What a process really has loaded of the libraries that matter, by its memory map."""
    names = ("blas", "blis", "dnnl", "torch_cpu", "gomp")
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:
        return []
    paths = {line.split()[-1] for line in lines if "/" in line}
    return sorted(p for p in paths if any(n in os.path.basename(p) for n in names))
