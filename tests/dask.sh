#!/usr/bin/env bash
# A Dask scheduler and workers on the loopback interface: for tests only. Needs the environment with Dask on the PATH.
#   tests/dask.sh up DIR [N]      N workers, two by default; prints the scheduler's address
#   tests/dask.sh kill DIR N      worker N and what watches it die
#   tests/dask.sh down DIR        stops what `up` started in DIR, and nothing else
set -euo pipefail
what=${1:?up, kill or down}
dir=$(realpath -m "${2:?folder}")

case $what in
up)
  mkdir -p "$dir"
  port=$(python -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
  setsid python -m distributed.cli.dask_scheduler --host 127.0.0.1 --port "$port" --no-dashboard --no-show \
    >"$dir/scheduler.log" 2>&1 </dev/null &
  echo $! >"$dir/scheduler.pid"
  for k in $(seq "${3:-2}"); do
    setsid python -m distributed.cli.dask_worker "tcp://127.0.0.1:$port" --host 127.0.0.1 --nthreads 1 --no-dashboard \
      --local-directory "$dir" >"$dir/worker-$k.log" 2>&1 </dev/null &
    echo $! >"$dir/worker-$k.pid"
  done
  echo "tcp://127.0.0.1:$port"
  ;;
kill) kill -KILL -- "-$(cat "$dir/worker-${3:?worker}.pid")" ;;
down)
  for file in "$dir"/*.pid; do kill -TERM -- "-$(cat "$file")" 2>/dev/null || true; done
  ;;
esac
