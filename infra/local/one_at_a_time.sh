#!/usr/bin/env bash
# Runs a command that writes to .local/ while no other such command does; a second one waits for the first.
set -euo pipefail
if ! { mkdir -p -m 700 .local && chmod 700 .local && touch .local/setup.lock; } 2>/dev/null; then
  echo "cannot write to $PWD/.local: this needs a checkout that can be written to" >&2
  exit 1
fi
free_mb=$(df -Pm .local | awk 'NR == 2 { print $4 }')
if [ "$free_mb" -lt "${MIN_FREE_DISK_MB:-1024}" ]; then
  echo "only $free_mb MB are free on the disk of $PWD/.local: make room there (or lower MIN_FREE_DISK_MB)" >&2
  exit 1
fi
if command -v flock >/dev/null; then
  exec 9>.local/setup.lock
  flock -n 9 || { echo "another make sets up the environments here; waiting for it" >&2; flock 9; }
fi
exec "$@" 9>&-
