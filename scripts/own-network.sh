#!/bin/sh
# Runs a command in a network of its own, which has nothing but the loopback: what tests start cannot leave this machine, whatever program it is. Wants
# Linux, root and iproute2; without those, and where stores of other machines are under test, the command has the machine's network, and the guard
# of the tests (test/support/guard-process.ts) holds the Node processes alone.
if ! env | grep -q '^REELMILL_TEST_[A-Z0-9_]*ENDPOINT=.' && unshare --net -- ip link set lo up 2>/dev/null; then
  exec unshare --net -- sh -c 'ip link set lo up && exec "$@"' own-network "$@"
fi
exec "$@"
