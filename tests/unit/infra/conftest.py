"""The template as AWS would get it, rendered once: the checkout's app.py through chalice, no dependencies needed."""

from typing import Any

import pytest

from infra.packaging.build import template_of_stage


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The whole template of stage `prod`."""
    return template_of_stage("prod", tmp_path_factory.mktemp("prod"))
