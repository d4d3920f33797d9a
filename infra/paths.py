"""Where things are in a checkout."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "build"
LOCAL: Final = ROOT / ".local"
LOCKS: Final = ROOT / "infra" / "requirements"
TEMPLATE: Final = ROOT / "infra" / "stack" / "template.yaml"
BULK_TEMPLATE: Final = ROOT / "infra" / "bulk.yaml"
EDGE_ACL: Final = TEMPLATE.with_name("edge_acl.yaml")
DEPLOYER: Final = ROOT / "infra" / "ops" / "deployer.yaml"
SAMPLE: Final = ROOT / "batch" / "sample"
