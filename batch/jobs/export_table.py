"""Write a DynamoDB table to a parquet file in the bucket."""

from datetime import UTC, datetime

from batch import export
from batch.jobs.context import Event, settings
from batch.mlflow.run_log import BatchRun
from chalicelib import wiring


def run(event: Event, this: BatchRun) -> Event:
    """Export the task table, or the table the event names."""
    table = event.get("table") or settings().tasks_table
    content, rows = export.parquet_of(export.scan(wiring.aws_client("dynamodb"), table))
    key = export.export_key(table, datetime.now(UTC))
    wiring.objects().put(key, content)
    this.params |= {"table": table, "key": key}
    this.metrics["rows"] = rows
    return {"table": table, "rows": rows, "key": key}
