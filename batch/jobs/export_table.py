"""Write a DynamoDB table to a parquet file in the bucket."""

from datetime import UTC, datetime

from batch import export
from batch.jobs.context import Event, settings
from batch.mlflow.run_log import BatchRun
from chalicelib import wiring


def run(event: Event, batch_run: BatchRun) -> Event:
    """Export the task table, or the table the event names."""
    table = event.get("table") or settings().tasks_table
    content, rows = export.parquet_of(export.scan(wiring.aws_client("dynamodb"), table))
    key = export.export_key(table, datetime.now(UTC))
    wiring.objects().put(key, content)
    batch_run.params |= {"table": table, "key": key}
    batch_run.metrics["rows"] = rows
    return {"table": table, "rows": rows, "key": key}
