# shellcheck shell=bash
# A PostgreSQL server of one's own: on a socket in a folder of its own, gone with the shell that started it. To be sourced.
#   private_postgres        starts it; sets POSTGRES_URL (empty: there are no server programs on this machine)
#   stop_private_postgres   stops it and removes its folder

POSTGRES_URL='' POSTGRES_FOLDER='' POSTGRES_PROGRAMS=''

# The server refuses to be root's.
as_postgres() {
  if (($(id -u) == 0)); then
    (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
  else
    (cd / && "$@")
  fi
}

private_postgres() {
  local programs
  for programs in "${CALLBRIDGE_POSTGRES_BIN:-}" /usr/lib/postgresql/*/bin; do
    [[ -x $programs/initdb ]] && POSTGRES_PROGRAMS=$programs
  done
  [[ -n $POSTGRES_PROGRAMS ]] || return 0
  POSTGRES_FOLDER=$(mktemp -d /tmp/callbridge-pg-XXXXXX)
  (($(id -u) != 0)) || chown postgres: "$POSTGRES_FOLDER"
  as_postgres "$POSTGRES_PROGRAMS/initdb" -D "$POSTGRES_FOLDER/data" -U callbridge -A trust -E UTF8 --locale=C.UTF-8 \
    >"$POSTGRES_FOLDER.log" 2>&1 || return 1
  as_postgres "$POSTGRES_PROGRAMS/pg_ctl" -D "$POSTGRES_FOLDER/data" -l "$POSTGRES_FOLDER/server.log" -w -s \
    -o "-k $POSTGRES_FOLDER -c listen_addresses=" start >>"$POSTGRES_FOLDER.log" 2>&1 || return 1
  # Of use to those who source this.
  # shellcheck disable=SC2034
  POSTGRES_URL="postgresql:///postgres?host=$POSTGRES_FOLDER&user=callbridge"
}

stop_private_postgres() {
  [[ -n $POSTGRES_FOLDER ]] || return 0
  as_postgres "$POSTGRES_PROGRAMS/pg_ctl" -D "$POSTGRES_FOLDER/data" -m immediate -s stop || true
  rm -rf "$POSTGRES_FOLDER" "$POSTGRES_FOLDER.log"
  POSTGRES_FOLDER=''
}
