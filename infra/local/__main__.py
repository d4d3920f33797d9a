"""`python -m infra.local`."""

import sys

from infra.local.system import main

sys.exit(main())
