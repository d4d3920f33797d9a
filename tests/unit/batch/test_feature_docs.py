"""docs/features.md is the schema."""

from pathlib import Path

from batch.features import FEATURES

PAGE = Path(__file__).parents[3] / "docs" / "features.md"


def test_every_feature_is_documented_as_the_schema_says_and_nothing_else_is() -> None:
    rows = [f"| `{f.name}` | {f.type} | {'yes' if f.required else 'no'} | {f.unit} | {f.doc} |" for f in FEATURES]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == rows
