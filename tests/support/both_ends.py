"""Which worker of a test run takes which file next."""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

FIRST_WORKER: Final = "gw0"


class FromBothEnds(LoadFileScheduling):  # type: ignore[misc]  # xdist's schedulers are untyped for mypy's strict rules
    """A file stays on one worker. The first worker takes files from the front of the list, the others from its end.

    So those that use the running stack, at the front, are run by one worker after the other and seldom wait for each
    other, while the other workers have the rest. Where they meet are the browser's tests: each by itself, so that all
    workers end at the same time.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        # Not by number of tests: the order they were collected in is ours.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        """What stays on one worker."""
        if nodeid.startswith("tests/browser/"):
            return nodeid
        return str(super()._split_scope(nodeid))

    def _assign_work_unit(self, node: Any) -> None:
        """Give a worker its next file."""
        self.workqueue.move_to_end(self._next_of(node), last=False)
        super()._assign_work_unit(node)

    def _next_of(self, node: Any) -> str:
        files: list[str] = list(self.workqueue)
        return files[0] if node.gateway.id == FIRST_WORKER else files[-1]
