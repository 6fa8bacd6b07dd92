"""How much faster two workers of a Ray cluster are than one.

    python -P benchmarks/scale.py            # as bound by CPU, then 200 ms a call
    python -P benchmarks/scale.py --quick

Each number of workers runs two sets of different sizes; the difference of their times is what the
cases take, without the start of Ray and of the workers. The scripted server is a process of its
own and takes CPU as well, and so does the driver: with no latency the speed-up is that of workers
alone where as many cores are free besides.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

SAFEJURY = [sys.executable, "-P", "-m", "safejury"]


def write(folder: Path, url: str, cases: int, concurrency: int, name: str) -> str:
    """Write a set and a config, and return the config's name."""
    one = {"scenario": "bias", "intent": "harmful"}
    rows = ({"id": f"q{n}", "text": f"Question {n}?", **one} for n in range(cases))
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = {"base_url": url, "model": "scripted", "price": 0}
    jurors = [{"persona": seat, **model} for seat in ("clinician", "lawyer", "sceptic")]
    config = {
        "dataset": f"{name}.jsonl",
        "targets": [{"name": "target", **model}],
        "jury": {"protocol": "vote", "jurors": jurors},
        "limits": {"concurrency": concurrency},
        "run": {"name": name},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return f"{name}.yaml"


def seconds(folder: Path, config: str, workers: int) -> float:
    """Run over workers of a cluster of its own; return wall seconds."""
    options = ["--engine", "ray", "--address", "local", "--workers", str(workers)]
    done = subprocess.run(
        [*SAFEJURY, "run", config, *options, "--min-coverage", "0", "--min-panel", "0"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RAY_AUTH_MODE": "disabled"},
    )
    found = re.search(r"finished in ([\d.]+) s", done.stdout + done.stderr)
    if found is None:
        sys.exit(done.stdout + done.stderr)
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the cases")
    scale = 1 if not parser.parse_args().quick else 10
    print("| latency ms | in flight | workers | cases/s | speed-up | of ideal |")
    print("|---:|---:|---:|---:|---:|---:|")
    for latency, concurrency, cases in ((0, 128, 8_000), (200, 2_000, 60_000)):
        served = [sys.executable, "-P", "-m", "safejury.testing", "--port", "0"]
        served += ["--latency", str(latency / 1000)]
        server = subprocess.Popen(served, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        url, first = server.stdout.readline().strip(), 0.0
        try:
            with tempfile.TemporaryDirectory() as place:
                for workers in (1, 2):
                    times = [
                        seconds(
                            Path(place),
                            write(Path(place), url, n, concurrency, f"w{workers}-{n}"),
                            workers,
                        )
                        for n in (cases // scale // 4, cases // scale)
                    ]
                    rate = (cases // scale - cases // scale // 4) / (times[1] - times[0])
                    first = first or rate
                    ideal = concurrency / 4 / (latency / 1000) if latency else None
                    part = "" if ideal is None else f"{100 * rate / ideal:.0f} %"
                    print(
                        f"| {latency} | {concurrency} | {workers} | {rate:.0f} "
                        f"| {rate / first:.2f} | {part} |",
                        flush=True,
                    )
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
