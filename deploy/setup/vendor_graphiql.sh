#!/bin/sh
# Makes hub/web/static/graphiql/vendor again from the packages that hub/web/package-lock.json names.
# Needs npm, which the hub itself does not. The lock holds integrity hashes and no address of a registry.
set -eu
cd "$(dirname "$0")/../../hub/web"

vendor=static/graphiql/vendor
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT

cp package.json package-lock.json "$packages"
(cd "$packages" && npm ci --silent --ignore-scripts --no-audit --no-fund)

rm -rf "$vendor"
mkdir -p "$vendor"
modules="$packages/node_modules"

# The source maps stay out: they are four times as large as the program.
bundle() {
    sed '/^\/\/# sourceMappingURL=/d' "$modules/$1" >"$vendor/$2"
}
bundle react/umd/react.production.min.js react.js
bundle react-dom/umd/react-dom.production.min.js react-dom.js
bundle graphiql/graphiql.min.js graphiql.js

# Without its embedded fonts the sheet is a third as large, and the reader's own fonts serve.
tr '\n' ' ' <"$modules/graphiql/graphiql.min.css" | sed 's/@font-face *{[^}]*}//g' >"$vendor/graphiql.css"

# The bundle of GraphiQL holds its dependencies: their notices travel with it.
(cd "$modules" && find . -type f -path '*/LICENSE*' ! -path '*/src/*' | LC_ALL=C sort | while read -r notice; do
    printf '\n======== %s\n\n' "${notice#./}"
    tr -d '\r' <"$notice"
done) >"$vendor/LICENSES.txt"

(cd "$vendor" && LC_ALL=C sha256sum -- *.js *.css *.txt >SHA256SUMS)
