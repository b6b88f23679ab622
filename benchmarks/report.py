"""Time and memory of reports of large simulated runs, analysis included, in every format.

    python benchmarks/report.py                     # a million rows: two objects, two models, 250,000 poses
    python benchmarks/report.py --rows 40000        # in seconds
    python benchmarks/report.py --folder runs/mine  # of a run that there is

Each report is made by a fresh process, whose wall time, processor time and peak resident size are told, one line a
format.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from simulated_run import simulate

FORMATS = ("html", "json", "md", "pdf")
SCENES, MODELS = ("jeep", "ant"), ("one", "two")
LABELS = tuple(f"label {number}" for number in range(300))

_CHILD = """
import json, sys, time
import posetest
posetest.write_report(sys.argv[1], sys.argv[2], format=sys.argv[3])
# not getrusage: its peak is inherited from the process that started this one
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"cpu_s": round(time.process_time(), 1), "peak_mb": round(int(peak.split()[1]) / 1024)}))
"""


def measure(folder: Path, kind: str, out: Path) -> dict[str, object]:
    """A report in a process of its own: format, seconds, peak memory and size."""
    start = time.perf_counter()
    command = [sys.executable, "-c", _CHILD, str(folder), str(out), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall = round(time.perf_counter() - start, 1)
    return {"format": kind, "wall_s": wall, **json.loads(done.stdout), "size_kb": out.stat().st_size // 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the simulated run")
    parser.add_argument("--folder", type=Path, help="a run folder in place of a simulated run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder
        if folder is None:
            poses = options.rows // (len(SCENES) * len(MODELS))
            folder = Path(scratch) / "run"
            simulate(folder, scenes=SCENES, models=MODELS, poses=poses, wrong=LABELS)
        for kind in FORMATS:
            print(json.dumps(measure(folder, kind, Path(scratch) / f"report.{kind}")), flush=True)


if __name__ == "__main__":
    main()
