#!/bin/sh
# Checks sample reports with axe-core: axe.sh REPORT_SAMPLE. Needs npm and Chromium; leaves with 77 without them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sample=$1
if ! chromium=$(command -v chromium || command -v chromium-browser) || ! command -v npm >/dev/null; then
    echo "axe.sh: skipped: needs chromium and npm"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/axe.js" "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)
for kind in full nothing; do
    for locale in en fr; do
        "$sample" "$kind" "$locale" >"$work/$kind-$locale.html"
    done
done
node "$work/axe.js" "$chromium" "$work"/*.html
