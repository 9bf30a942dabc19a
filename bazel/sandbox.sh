# shellcheck shell=bash
# The sandbox of `./dev run`: the server and the simulated world beside it. Sourced by dev.

# Ports by name. The server's can be moved with its own flags or their environment twins, the world's with
# CALLBRIDGE_SIM_CARRIER_PORT and CALLBRIDGE_SIM_MODEL_PORT.
declare -A PORT=([http]=8080 [grpc]=50051 [admin]=9464 [carrier]=${CALLBRIDGE_SIM_CARRIER_PORT:-8081} [model]=${CALLBRIDGE_SIM_MODEL_PORT:-8082})

# The flags of both binaries: the one place to edit when they change. The user's flags come after the server's and win.
sandbox_flags() {
  SIM_FLAGS=(
    --carrier_listen="127.0.0.1:${PORT[carrier]}"
    --model_listen="127.0.0.1:${PORT[model]}"
    --server_url="http://127.0.0.1:${PORT[http]}"
    --public_url="http://127.0.0.1:${PORT[http]}"
    --auth_id=MASANDBOXSANDBOX0000
    --auth_token=c2FuZGJveC1hdXRoLXRva2Vu
    --api_key=sk-sandbox
  )
  SERVER_FLAGS=(
    --http_listen="127.0.0.1:${PORT[http]}"
    --grpc_listen="127.0.0.1:${PORT[grpc]}"
    --admin_listen="127.0.0.1:${PORT[admin]}"
    --public_url="http://127.0.0.1:${PORT[http]}"
    --openai_url="ws://127.0.0.1:${PORT[model]}/v1/realtime"
    --openai_rest_url="http://127.0.0.1:${PORT[model]}/v1"
    --plivo_api_url="http://127.0.0.1:${PORT[carrier]}"
    --config=deploy/sandbox.textproto
    --database_url=sqlite:var/sandbox.db
  )
  # Made up; the simulated carrier and model know them.
  KEYS=(OPENAI_API_KEY=sk-sandbox PLIVO_AUTH_ID=MASANDBOXSANDBOX0000 PLIVO_AUTH_TOKEN=c2FuZGJveC1hdXRoLXRva2Vu)
}

# What a user sees first. Every line of it works as it is, in this order.
sandbox_banner() {
  local grpcurl="${GRPCURL:-grpcurl}" at="127.0.0.1:${PORT[grpc]}" service=callbridge.v1.CallService
  cat <<TEXT
🧪 This is the sandbox: a simulated carrier and a simulated model stand in for the real ones. Nothing costs money, no phone rings.

   In a second terminal, watch everything that happens:
     $grpcurl -plaintext -d '{}' $at $service/CallEvents

   In a third, one by one: call somebody who likes to chat, and hand them to a human.
     $grpcurl -plaintext $at list
     $grpcurl -plaintext -d '{"call":{"to":"+14155550199"}}' $at $service/StartCall
     CALL=\$($grpcurl -plaintext -d '{"page_size":1}' $at $service/ListCalls | jq -r '.calls[0].name')
     $grpcurl -plaintext -d '{"call":"'\$CALL'"}' $at $service/GetTranscript
     $grpcurl -plaintext -d '{"call":"'\$CALL'","destination":"sales","reason":"wants to buy"}' $at $service/TransferCall
     $grpcurl -plaintext -d '{"call":"'\$CALL'"}' $at $service/EndCall

   Let somebody call you:
     curl -XPOST http://127.0.0.1:${PORT[carrier]}/sim/calls -d '{"scenario":"inbound_demo"}'

   Its health and its figures:
     curl http://127.0.0.1:${PORT[admin]}/readyz
     curl http://127.0.0.1:${PORT[admin]}/metrics

   Ctrl-C stops both. For real calls set OPENAI_API_KEY, PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN and --public_url (README.md).

TEXT
  [[ -n ${GRPCURL:-} ]] || printf '   grpcurl is not installed and there is no Go toolchain to build it: https://github.com/fullstorydev/grpcurl/releases\n'
}

# Reads the ports from flags (--http_listen=host:port, --http_listen host:port) or the environment.
sandbox_ports() {
  local name variable value i
  for name in http grpc admin; do
    variable=CALLBRIDGE_${name^^}_LISTEN
    value=${!variable:-}
    for ((i = 1; i <= $#; ++i)); do
      case ${!i} in
        --"${name}"_listen=* | -"${name}"_listen=*) value=${!i#*=} ;;
        --"${name}"_listen | -"${name}"_listen)
          local next=$((i + 1))
          value=${!next:-}
          ;;
      esac
    done
    [[ -z $value ]] || PORT[$name]=${value##*:}
  done
  for name in "${!PORT[@]}"; do
    if [[ ! ${PORT[$name]} =~ ^[1-9][0-9]{0,4}$ ]] || ((PORT[$name] > 65535)); then
      die "the sandbox needs a port from 1 to 65535 for $name, not '${PORT[$name]}'"
    fi
  done
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

sandbox_check_ports() {
  local name how
  for name in http grpc admin carrier model; do
    case $name in
      carrier | model) how="set CALLBRIDGE_SIM_${name^^}_PORT to another" ;;
      *) how="give another with --${name}_listen=127.0.0.1:PORT" ;;
    esac
    if answers "${PORT[$name]}"; then die "port ${PORT[$name]} ($name) is in use: stop what listens there, or $how"; fi
  done
}

# Starts a program in a process group of its own, so that Ctrl-C on the terminal reaches only this script, which passes it on
# in the right order. Its pid is in STARTED.
start() {
  set -m
  "$@" &
  STARTED=$!
  set +m
}

wait_for_port() {
  local port=$1 pid=$2 tries
  for ((tries = 0; tries < 100; ++tries)); do
    if answers "$port"; then return 0; fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# Ends a process: asks, and after 10 s insists.
finish() {
  local pid=$1 tries
  kill -TERM "$pid" 2>/dev/null || return 0
  for ((tries = 0; tries < 100; ++tries)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

# Runs both until the server ends; exits with its status. A signal goes to the server; the world ends after it.
sandbox_run() {
  local sim server ended status
  sandbox_flags
  mkdir -p var
  start env "${KEYS[@]}" "${SIM_BINARY:-bazel-bin/src/sim/callbridge_sim}" "${SIM_FLAGS[@]}"
  sim=$STARTED
  # shellcheck disable=SC2064
  trap "finish $sim" EXIT
  # Until there is a server, a signal ends the world and this.
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if ! wait_for_port "${PORT[carrier]}" "$sim" || ! wait_for_port "${PORT[model]}" "$sim"; then
    die "the simulated world did not start"
  fi
  sandbox_banner
  start env "${KEYS[@]}" "${SERVER_BINARY:-bazel-bin/src/app/callbridge}" "${SERVER_FLAGS[@]}" "$@"
  server=$STARTED
  # shellcheck disable=SC2064
  {
    trap "finish $server; finish $sim" EXIT
    trap "kill -INT $server 2>/dev/null || true" INT
    trap "kill -TERM $server 2>/dev/null || true" TERM HUP
  }
  local watched=("$server" "$sim")
  while true; do
    ended='' status=0
    # A signal, too, ends the wait, with nothing in `ended`; its trap has passed it on.
    wait -n -p ended "${watched[@]}" || status=$?
    if [[ ${ended:-} == "$sim" ]]; then
      say "The simulated world ended (status $status), so the server is stopped too."
      kill -TERM "$server" 2>/dev/null || true
      watched=("$server")
    elif [[ -n ${ended:-} ]] || ! kill -0 "$server" 2>/dev/null; then
      break
    fi
  done
  exit "$status"
}
