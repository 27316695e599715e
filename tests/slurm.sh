#!/usr/bin/env bash
# A private SLURM of a few nodes on this host, without accounts, on the loopback interface: for tests only.
#   tests/slurm.sh install        Debian's packages (root)
#   tests/slurm.sh up DIR [N]     N nodes, two by default; then: export SLURM_CONF=DIR/slurm.conf
#   tests/slurm.sh kill DIR N     node N dies: its daemon and what runs on it; its jobs are put back in the queue
#   tests/slurm.sh hurry DIR      those need not wait the two minutes that SLURM has them wait
#   tests/slurm.sh down DIR       stops what `up` started in DIR, and nothing else
set -euo pipefail
what=${1:?install, up, kill, hurry or down}

if [ "$what" = install ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -qq -y --no-install-recommends \
    slurmctld slurmd slurm-client munge >/dev/null
  exit
fi

dir=$(realpath -m "${2:?folder}")
conf=$dir/slurm.conf
munge=$dir/munge/munge.socket

stop() {  # by the files in which daemons wrote their numbers
  for file in "$@"; do
    [ -s "$file" ] && kill "$(cat "$file")" 2>/dev/null || true
  done
}

case $what in
down)
  [ -s "$conf" ] && SLURM_CONF=$conf scancel --user=root 2>/dev/null || true
  stop "$dir"/slurmd-*.pid "$dir"/slurmctld.pid
  sleep 1
  stop "$dir"/munge/munged.pid
  for _ in $(seq 100); do [ -e "$dir/munge/munged.pid" ] || break; sleep 0.1; done
  ;;
hurry)
  export SLURM_CONF=$conf
  for job in $(squeue --noheader --array --states=PENDING --format=%i); do scontrol update JobId="$job" StartTime=now; done
  ;;
kill)
  node=n${3:?node}
  mine=()
  for file in $(grep -lzs "^SLURMD_NODENAME=$node$" /proc/[0-9]*/environ || true); do
    grep -qzs "^SLURM_CONF=$conf$" "$file" && mine+=("$(basename "$(dirname "$file")")")
  done
  daemons=()  # first, or they would report an ordinary end
  for pid in "${mine[@]}"; do
    parent=$(awk '{print $4}' "/proc/$pid/stat" 2>/dev/null || true)
    [ "$(cat "/proc/${parent:-0}/comm" 2>/dev/null)" = slurmstepd ] && daemons+=("$parent")
  done
  kill -KILL "$(cat "$dir/slurmd-$node.pid")" "${daemons[@]}" "${mine[@]}" 2>/dev/null || true
  SLURM_CONF=$conf scontrol update NodeName="$node" State=DOWN Reason=killed
  ;;
up)
  n=${3:-2}
  mkdir -p "$dir"/{state,spool,log,munge}
  chmod 755 "$dir"
  dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
  chmod 400 "$dir/munge/key"
  chown -R munge:munge "$dir/munge"
  chmod 711 "$dir/munge"
  runuser -u munge -- munged --force --key-file="$dir/munge/key" --socket="$munge" --pid-file="$dir/munge/munged.pid" \
    --log-file="$dir/munge/munged.log" --seed-file="$dir/munge/seed"

  host=$(hostname -s)
  memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
  cat >"$conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$munge
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
SlurmdTimeout=10
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
KillWait=5
SlurmdParameters=config_overrides
$(for k in $(seq "$n"); do
    echo "NodeName=n$k NodeHostname=$host NodeAddr=127.0.0.1 Port=$((17000 + k)) CPUs=2 RealMemory=$memory State=UNKNOWN"
  done)
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
  export SLURM_CONF=$conf
  slurmctld -f "$conf"
  for k in $(seq "$n"); do
    mkdir -p "$dir/spool/n$k"
    slurmd -N "n$k" -f "$conf"
  done
  for _ in $(seq 200); do
    [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" -ge "$n" ] && exit 0
    sleep 0.1
  done
  sinfo
  exit 1
  ;;
esac
