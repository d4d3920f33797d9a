"""What is shipped: locked with hashes, licensed, each for a reason; and the audit tells safety from silence."""

import re

import pytest
import yaml

from infra.packaging import audit
from infra.paths import LOCKS, ROOT
from infra.reference import licences
from infra.reference.licences import REASONS, licence_of, page


@pytest.mark.parametrize("lock", ["api.txt", "batch.txt", "dev.txt", "emulator.txt"])
def test_every_locked_package_has_an_exact_version_and_hashes(lock: str) -> None:
    text = (LOCKS / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    packages = [block for block in blocks if re.match(r"[A-Za-z0-9]", block)]
    assert packages
    for block in packages:
        assert re.match(r"[A-Za-z0-9._\[\],-]+==[^ ]+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]


def test_the_published_list_of_licences_is_that_of_the_locks() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == page(), "run `make licences`"


def test_no_reason_is_left_over_from_a_package_that_is_gone() -> None:
    locked = "".join((LOCKS / lock).read_text(encoding="utf-8") for lock in ("api.txt", "batch.txt"))
    assert {name for name in REASONS if f"\n{name}==" not in f"\n{locked}"} == set()


def test_a_package_that_is_not_installed_has_no_known_licence() -> None:
    with pytest.raises(LookupError, match="make setup"):
        licence_of("no-such-package-anywhere")


@pytest.mark.parametrize(
    ("returncode", "said", "expected"),
    [
        (0, "No known vulnerabilities found", audit.CLEAN),
        (1, "Found 2 known vulnerabilities in 1 package", audit.VULNERABLE),
        (1, "ConnectionError: Max retries exceeded", audit.UNREACHABLE),
    ],
)
def test_no_answer_does_not_count_as_safety(returncode: int, said: str, expected: int) -> None:
    assert audit.outcome_of(returncode, said) == expected


def test_a_compose_file_exists_for_localstack_and_opens_nothing_to_the_network() -> None:
    compose = yaml.safe_load((ROOT / "infra" / "local" / "compose.yaml").read_text(encoding="utf-8"))
    ports = [port for service in compose["services"].values() for port in service["ports"]]
    assert ports == ["127.0.0.1:4566:4566", "127.0.0.1:5000:5000"]


def test_the_compose_files_mlflow_is_the_version_of_the_lock() -> None:
    compose = yaml.safe_load((ROOT / "infra" / "local" / "compose.yaml").read_text(encoding="utf-8"))
    locked = re.search(r"^mlflow==(\S+)", (LOCKS / "dev.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert locked is not None
    assert compose["services"]["mlflow"]["image"] == f"ghcr.io/mlflow/mlflow:v{locked[1]}"
