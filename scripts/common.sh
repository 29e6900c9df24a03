# Shared by the set-up scripts; sourced, never run.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tools="$root/.tools"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Install Debian packages, or say exactly what is missing: set-up never goes on half done.
apt_install() {
  have apt-get || die "this machine lacks $* and has no apt-get; install them by hand and run this again"
  local as=()
  if [ "$(id -u)" -ne 0 ]; then
    have sudo && sudo -n true 2>/dev/null || die "installing $* needs root: run 'apt-get install $*' as root"
    as=(sudo -n)
  fi
  say "installing $*"
  # An index that is missing or old is the usual cause of a failed install on a new machine.
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && return
  "${as[@]}" apt-get update -qq
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    die "apt-get could not install $*"
}

# at_least VERSION MINIMUM, both dotted numbers.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
