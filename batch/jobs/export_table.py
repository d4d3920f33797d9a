"""Write a DynamoDB table to the bucket."""

import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from botocore.exceptions import ClientError

from batch import export
from batch.jobs.context import Event, settings
from batch.mlflow.run_log import BatchRun
from chalicelib import wiring

logger = logging.getLogger(__name__)

NO_BACKUP: Final = "PointInTimeRecoveryUnavailableException"


def run(event: Event, batch_run: BatchRun) -> Event:
    """Export the task table, or the table the event names: from its backup where there is one, else by a scan."""
    table = event.get("table") or settings().tasks_table
    moment = datetime.now(UTC)
    if settings().export_from_backup:
        try:
            return _from_backup(table, moment, batch_run)
        except ClientError as error:
            if error.response["Error"]["Code"] != NO_BACKUP:
                raise
            logger.warning("no backup to export from, the table is scanned", extra={"table": table})
    return _by_scan(table, moment, batch_run)


def _from_backup(table: str, moment: datetime, batch_run: BatchRun) -> Event:
    arn = export.start_export(wiring.aws_client("dynamodb"), table, settings().data_bucket, moment)
    prefix = export.export_prefix(table, moment)
    batch_run.params |= {"table": table, "export": arn, "prefix": prefix}
    return {"table": table, "export": arn, "prefix": prefix}


def _by_scan(table: str, moment: datetime, batch_run: BatchRun) -> Event:
    key = export.export_key(table, moment)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        rows = export.write_parquet(export.scan(wiring.aws_client("dynamodb"), table), path)
        wiring.objects().put_file(key, path)
    batch_run.params |= {"table": table, "key": key}
    batch_run.metrics["rows"] = rows
    return {"table": table, "rows": rows, "key": key}
