"""Where the time inside `POST /predict/` goes: `make profile`.

Calls the handler in this process, as `make bench` does, and looks at its stack at each tick of processor time (SIGPROF,
some 250 a second on Linux). A sample counts for the module that runs, native code for the Python frame that called it.
Unlike cProfile this lengthens small functions no more than others. Microseconds are shares of the median call without
sampling.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from benchmarks import subjects
from benchmarks.bench import some_features
from benchmarks.timing import machine, take_turns
from infra.paths import ROOT
from tests.support.builders import Context, make_event
from tests.support.throwaway import throwaway_stack

say = print
INTERVAL_SECONDS: Final = 0.001
_HERE: Final = __file__


def module_of(filename: str) -> str:
    """A short name of the module a file is: ours by its path, others by their package."""
    path = Path(filename)
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        return path.relative_to(ROOT).as_posix()
    parts = path.parts
    if "site-packages" in parts:
        inside = parts[parts.index("site-packages") + 1 :]
        return "/".join(inside[:3]) if inside[0] == "aws_lambda_powertools" else inside[0]
    return (
        f"python: {path.parent.name}/{path.name}"
        if not path.parent.name.startswith("python3.")
        else f"python: {path.name}"
    )


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The stack from the innermost frame outwards."""
    while frame is not None:
        yield frame
        frame = frame.f_back


class Samples:
    """What ran, by module, and under which of our functions, each function once a sample."""

    def __init__(self) -> None:
        self.taken = 0
        self.modules: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    def take(self, _signal: int, frame: FrameType | None) -> None:
        """Look at the stack; the handler of the timer's signal."""
        stack = [code_frame for code_frame in frames(frame) if code_frame.f_code.co_filename != _HERE]
        if not any(code_frame.f_code.co_name == "handle" for code_frame in stack):
            return
        self.taken += 1
        self.modules[module_of(stack[0].f_code.co_filename)] += 1
        modules = {
            f"{name}:{code_frame.f_code.co_qualname}"
            for code_frame in stack
            if (name := module_of(code_frame.f_code.co_filename)).startswith(("app.py", "chalicelib/"))
        }
        self.functions.update(modules)


def sample(run: Callable[[], object], seconds: float) -> tuple[Samples, float]:
    """Call something again and again; the samples, and the median call's processor time before, in microseconds."""
    plain = take_turns({"call": run}, calls=500, rounds=4, clock=time.thread_time)["call"]
    samples = Samples()
    before = signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    started = time.thread_time()
    try:
        while time.thread_time() - started < seconds:
            run()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return samples, 1e3 * plain.p50


def show(title: str, counted: Counter[str], samples: Samples, microseconds: float) -> None:
    """A table of shares and microseconds a call."""
    say(f"\n| {title} | share | µs a call |\n|---|---:|---:|")
    for name, count in counted.most_common(16):
        share = count / samples.taken
        say(f"| `{name}` | {100 * share:.1f} % | {share * microseconds:.0f} |")


def main(arguments: list[str] | None = None) -> int:
    """Sample the handler of `POST /predict/` with the sample's champion."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_predict", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="processor time to sample")
    options = parser.parse_args(arguments)
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="soccer-profile-") as home, throwaway_stack(Path(home)) as stack:
        features = some_features(stack)
        objects, _ = subjects.mirror_in_memory(stack)
        subjects.in_function(stack, objects)
    event, context = make_event("predict", body={"match_id": 99, "features": dict(features)}), Context()

    import app  # noqa: PLC0415 - after its variables are set

    with subjects.quiet():
        samples, microseconds = sample(lambda: app.predict(dict(event), context), options.seconds)
    say(" · ".join(f"{name} {value}" for name, value in facts.items()))
    say(f"{samples.taken} samples, {microseconds:.0f} µs a call, {len(features)} features")
    show("module that runs", samples.modules, samples, microseconds)
    show("our function, with what it calls", samples.functions, samples, microseconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
