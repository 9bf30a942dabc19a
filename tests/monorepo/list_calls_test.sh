#!/bin/sh
# Port 1 is nobody's: 14 is UNAVAILABLE.
said=$("$1" 127.0.0.1:1)
[ "$said" = "callbridge.v1.CallService: status 14" ] || {
  printf 'list_calls said: %s\n' "$said"
  exit 1
}
