"""Where and on what a measurement was made."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path


def processor():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores():
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def commit():
    """Of heed; with a mark when the tree differs from it."""
    try:
        run = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()


def load():
    """Processes that wanted a core during the last minute."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


def description(isa):
    return {
        "processor": processor(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(load(), 2),
        "isa": isa or "each its best",
        "heed": commit(),
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
