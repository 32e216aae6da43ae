#!/usr/bin/env bash
# Installs the Debian packages that parts of this repository can use; nothing that `npm start` or `npm test` cannot do without.
# A test that misses one of them says so and is skipped.
#
#   tools/install-debian-packages.sh [--dry-run] GROUP...
#
# Exit codes (docs/exit-codes.md): 0 installed, 2 command line, 12 this machine has no apt, or this user may not install;
# otherwise apt-get's own.
set -euo pipefail

program=${0##*/}

# group | package | what it is for
packages='firmware|gcc-avr|compiles the firmware of the fenced board
firmware|avr-libc|its C library
firmware|avrdude|writes the firmware to a real board, and reads it back
firmware|make|builds the firmware, and its stream code for the host
firmware|gcc|compiles the stream code for the host, where golden vectors and the reference model check it
firmware|libc6-dev|the C library for that
firmware|clang|compiles the fuzzer of the stream code
firmware|libclang-rt-14-dev|libFuzzer, AddressSanitizer and UBSan for it (Debian 12; elsewhere libclang-rt-dev)
firmware|arduino-core-avr|builds a StandardFirmata, the device without a fence, which a test runs
firmware|libsimavr-dev|a second, independent emulator of the microcontroller, against which ours is checked
console|picocom|a terminal on a serial port: the console of a board that has no network
console|tmux|a real terminal for the tests of the monitor and of the console
bench|keepalived|the usual failover daemon, for measurements beside it
bench|iproute2|makes the two network namespaces in which it runs
bench|mosquitto|an MQTT broker, whose last will a warm standby waits for
qemu|qemu-system-arm|emulates whole Raspberry Pis'

usage() {
  echo "usage: $program [--dry-run] GROUP..."
  echo "  --dry-run   only say what would be installed"
  local group package purpose last=''
  while IFS='|' read -r group package purpose; do
    [ "$group" = "$last" ] || echo "$group"
    last=$group
    printf '  %-20s %s\n' "$package" "$purpose"
  done <<< "$packages"
}

fail() { # exit code, error code, what is wrong and what would help
  echo "$program: $2: $3" >&2
  exit "$1"
}

dry_run=false
groups=()
for word in "$@"; do
  case $word in
    -h | --help)
      usage
      exit 0
      ;;
    --dry-run) dry_run=true ;;
    -*) fail 2 USAGE_ARGUMENT "unknown option $word (--help shows what is possible)" ;;
    firmware | console | bench | qemu) groups+=("$word") ;;
    *) fail 2 USAGE_ARGUMENT "GROUP must be firmware, console, bench or qemu (got $word)" ;;
  esac
done
if [ ${#groups[@]} -eq 0 ]; then
  usage >&2
  fail 2 USAGE_ARGUMENT 'name at least one GROUP'
fi

wanted=()
while IFS='|' read -r group package _; do
  for named in "${groups[@]}"; do
    if [ "$named" = "$group" ]; then wanted+=("$package"); fi
  done
done <<< "$packages"

if ! command -v apt-get > /dev/null; then
  fail 12 MACHINE_APT "there is no apt-get here: these are Debian's names, install what your system calls ${wanted[*]}"
fi
if ! $dry_run; then
  if [ "$(id -u)" -ne 0 ]; then
    fail 12 MACHINE_ROOT "only root may install packages: sudo $0 $*"
  fi
  # A fresh machine knows no packages before.
  apt-get update
fi
# Another release of Debian has another clang; its metapackage names the runtime that fits.
if ! apt-cache show libclang-rt-14-dev > /dev/null 2>&1; then
  wanted=("${wanted[@]/libclang-rt-14-dev/libclang-rt-dev}")
fi
if $dry_run; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
exec apt-get install --yes --no-install-recommends "${wanted[@]}"
