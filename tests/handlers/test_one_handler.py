"""A log line is written once, whatever was imported first."""

import subprocess
import sys

import app
from chalicelib.telemetry.names import SERVICE
from infra.paths import ROOT

COUNT = """
import logging, os, sys
from chalicelib.telemetry.log import logger
sys.stdout = open(os.devnull, "w")  # as under a runtime that replaces it
import app
print(len(logging.getLogger(sys.argv[1]).handlers), file=sys.stderr)
"""


def test_the_services_logger_has_one_handler_after_chalice_is_set_up() -> None:
    assert app.app.app_name == SERVICE
    ran = subprocess.run([sys.executable, "-c", COUNT, SERVICE], cwd=ROOT, check=True, capture_output=True, text=True)
    assert ran.stderr.strip() == "1"
