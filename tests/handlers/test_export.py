"""A table as a file for analysts: by a scan page by page, or by DynamoDB itself from its backup."""

import io
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest

from batch import handlers
from batch.export import GROUP_BYTES, ROWS_PER_GROUP, write_parquet
from batch.jobs import context
from chalicelib.storage.objects import ObjectStore
from tests.support.builders import Context

Item = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    context.settings.cache_clear()


def put(*items: Item) -> None:
    client = boto3.client("dynamodb")
    for item in items:
        client.put_item(TableName="tasks", Item=item)


def exported(objects: ObjectStore) -> tuple[dict[str, Any], pq.ParquetFile]:
    result = handlers.export_table({}, Context())
    stored = objects.get(result["key"])
    assert stored is not None
    return result, pq.ParquetFile(io.BytesIO(stored.body))


def test_attributes_become_columns_of_one_type(objects: ObjectStore) -> None:
    put(
        {"task_id": {"S": "b"}, "ended_at": {"N": "2.5"}, "tags": {"SS": ["x"]}, "either": {"S": "text"}},
        {"task_id": {"S": "a"}, "live": {"BOOL": True}, "none": {"NULL": True}, "either": {"N": "3"}},
    )
    result, file = exported(objects)
    assert result["rows"] == 2
    rows = {row["task_id"]: row for row in file.read().to_pylist()}
    assert rows == {
        "b": {"task_id": "b", "ended_at": 2.5, "tags": '["x"]', "either": "text", "live": None, "none": None},
        "a": {"task_id": "a", "ended_at": None, "tags": None, "either": "3.0", "live": True, "none": None},
    }


def test_a_table_of_several_pages_is_exported_whole(objects: ObjectStore) -> None:
    # DynamoDB ends a page at 1 MB: these are more than three.
    put(*({"task_id": {"S": f"{number:03}"}, "message": {"S": "x" * 50_000}} for number in range(70)))
    assert "LastEvaluatedKey" in boto3.client("dynamodb").scan(TableName="tasks")
    result, file = exported(objects)
    assert result["rows"] == 70
    assert sorted(file.read(["task_id"])["task_id"].to_pylist()) == [f"{number:03}" for number in range(70)]


def test_an_empty_table_is_an_empty_file(objects: ObjectStore) -> None:
    result, file = exported(objects)
    assert (result["rows"], file.metadata.num_rows) == (0, 0)


def tasks_like(count: int, text: str = "x") -> Iterator[Item]:
    for number in range(count):
        yield {"task_id": {"S": str(number)}, "message": {"S": f"{number}{text}"}, "sends": {"N": "0"}}


def test_rows_are_written_in_groups_that_end_by_number_or_size(tmp_path: Path) -> None:
    write_parquet(tasks_like(2 * ROWS_PER_GROUP + 1), tmp_path / "many.parquet")
    large = GROUP_BYTES // 4
    write_parquet(tasks_like(9, "x" * large), tmp_path / "large.parquet")

    def sizes(name: str) -> list[int]:
        metadata = pq.read_metadata(tmp_path / name)
        return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]

    assert sizes("many.parquet") == [ROWS_PER_GROUP, ROWS_PER_GROUP, 1]
    assert sizes("large.parquet") == [4, 4, 1]
    assert list(tmp_path.glob("*.gz")) == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        write_parquet(tasks_like(count, "x" * 100), tmp_path / f"{count}.parquet")
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(6 * ROWS_PER_GROUP) < 1.2 * peak(2 * ROWS_PER_GROUP)


# ── From the backup ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def from_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORT_FROM_BACKUP", "true")


def test_dynamodb_exports_a_table_with_a_backup_itself(objects: ObjectStore, from_backup: None) -> None:
    client = boto3.client("dynamodb")
    client.update_continuous_backups(
        TableName="tasks", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    put({"task_id": {"S": "a"}})
    result = handlers.export_table({}, Context())
    end = time.monotonic() + 30
    while (described := client.describe_export(ExportArn=result["export"])["ExportDescription"])["ExportStatus"] == (
        "IN_PROGRESS"
    ):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert (described["S3Bucket"], f"{described['S3Prefix']}/") == ("data", result["prefix"])
    assert described["ExportFormat"] == "DYNAMODB_JSON"
    assert result["prefix"].startswith("exports/tasks/")
    exported_keys = [key for key, _ in objects.keys(result["prefix"])]
    assert any("/AWSDynamoDB/" in key and "/data/" in key for key in exported_keys)
    assert not any(key.endswith(".parquet") for key, _ in objects.keys("exports/"))


def test_a_table_without_a_backup_is_scanned(objects: ObjectStore, from_backup: None) -> None:
    put({"task_id": {"S": "a"}})
    result, file = exported(objects)
    assert (result["rows"], file.metadata.num_rows) == (1, 1)
