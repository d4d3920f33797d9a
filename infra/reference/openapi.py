"""docs/openapi.json from the routes: `make openapi`."""

import json
import sys
from typing import Final

from chalicelib.api.openapi import document
from chalicelib.api.routes import all_routers
from infra.paths import ROOT

PAGE: Final = ROOT / "docs" / "openapi.json"


def page() -> str:
    """The document as it is committed."""
    return json.dumps(document(all_routers()), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
