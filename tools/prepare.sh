#!/bin/sh
# Brings dist/bundle up to date with the checkout: npm ci when the lock file changed, then the bundler. Called by ./guestless.
# With the word `web`: dist/web, the page, in the same way.
# Several at once are safe: one works, the others wait for it. Quiet unless something fails.
set -u
cd "$(dirname "$0")/.." || exit 1
what=${1:-bundle}
case $what in
  web) stamp=dist/web-stamp made=dist/web/index.html lock=.cache/prepare-web.lock ;;
  *) stamp=dist/bundle/stamp made=dist/bundle/guestless.cjs lock=.cache/prepare.lock ;;
esac

say() { printf 'guestless: %s\n' "$*" >&2; }

command -v node >/dev/null || { say 'Node.js 20.19 or newer is needed, and there is no "node" in PATH'; exit 2; }
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || {
  say "Node.js 20.19 or newer is needed; $(command -v node) is $(node --version)"
  exit 2
}

# What it is made of, by content: the commit's trees, or nothing outside of git (then only the lock file's date counts).
contents() {
  case $what in
    web) set -- HEAD:web HEAD:fixtures/demo.qcow2 HEAD:fixtures/demo-overlay.qcow2 ;;
    *) set -- HEAD:tools HEAD:rolldown.config.js ;;
  esac
  git rev-parse HEAD:src HEAD:package-lock.json "$@" 2>/dev/null | tr '\n' ' '
}
current() {
  [ -e "$stamp" ] && [ -e "$made" ] && ! [ package-lock.json -nt "$stamp" ] && [ "$(cat "$stamp")" = "$(contents)" ]
}
mark() {
  printf '%s\n' "$contents" >"$stamp.$$" && touch -r "$started" "$stamp.$$" && mv "$stamp.$$" "$stamp"
}

mkdir -p .cache dist/bundle || { say "cannot write to $PWD"; exit 1; }
until mkdir "$lock" 2>/dev/null; do
  owner=$(cat "$lock/owner" 2>/dev/null)
  if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
    # Its owner is gone. Only one of those who wait can move it away.
    mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
  else
    sleep 0.2
  fi
done
echo $$ >"$lock/owner"
started=$lock/started
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
touch "$started"

contents=$(contents)
if current; then
  mark
  exit 0
fi

quietly() {
  "$@" >"$lock/log" 2>&1 || {
    say "\"$*\" failed:"
    cat "$lock/log" >&2
    exit 1
  }
}
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say 'installing (first run)'
  quietly npm ci --no-audit --no-fund
fi
if [ "$what" = web ]; then
  say 'building the page'
  quietly npm run --silent build:web
  mark
  exit 0
fi
say 'bundling'
quietly npm run --silent bundle
# Leaves compiled code of what most calls need; whether it works is not for this script to judge.
if [ -e fixtures/demo-overlay.qcow2 ]; then
  node dist/bundle/guestless.cjs info fixtures/demo-overlay.qcow2 >/dev/null 2>&1
  node dist/bundle/guestless.cjs fish --ro -a fixtures/demo-overlay.qcow2 -i ll / : cat /etc/hostname >/dev/null 2>&1
  node tools/warm-appliance.cjs fixtures/demo-overlay.qcow2 >/dev/null 2>&1
fi
mark
