#!/usr/bin/env bash
# Prints a Python this project runs on: 3.11 (the locks' and the local functions' version) or 3.12.
set -euo pipefail
for candidate in "${PYTHON:-}" python3.11 python3 python3.12; do
  [ -n "$candidate" ] || continue
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
    if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
      echo "$candidate"
      exit 0
    fi
    missing_venv=$candidate
  fi
done
if [ -n "${missing_venv:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends python3-venv >&2
  echo "$missing_venv"
  exit 0
fi
echo "Python 3.11 (or 3.12) with its venv module is needed; on Debian: apt-get install python3 python3-venv" >&2
exit 1
