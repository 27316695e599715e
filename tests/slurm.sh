#!/usr/bin/env bash
# A private SLURM of a few nodes on this host, with accounting, on the loopback interface: for tests only.
#   tests/slurm.sh install        Debian's packages (root)
#   tests/slurm.sh up DIR [N]     N nodes, two by default; then: export SLURM_CONF=DIR/slurm.conf
#   tests/slurm.sh kill DIR N     node N dies: its daemon and what runs on it
#   tests/slurm.sh down DIR       stops what `up` started in DIR, and nothing else
set -euo pipefail
what=${1:?install, up, kill or down}

if [ "$what" = install ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -qq -y --no-install-recommends \
    slurmctld slurmd slurm-client munge slurmdbd mariadb-server >/dev/null
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
  stop "$dir"/slurmd-*.pid "$dir"/slurmctld.pid "$dir"/slurmdbd.pid
  sleep 1
  stop "$dir"/mysql/pid "$dir"/munge/munged.pid
  for _ in $(seq 100); do [ -e "$dir/mysql/pid" ] || [ -e "$dir/munge/munged.pid" ] || break; sleep 0.1; done
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
  mkdir -p "$dir"/{state,spool,log,munge,mysql}
  chmod 755 "$dir"
  dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
  chmod 400 "$dir/munge/key"
  chown -R munge:munge "$dir/munge"
  chmod 711 "$dir/munge"
  runuser -u munge -- munged --force --key-file="$dir/munge/key" --socket="$munge" --pid-file="$dir/munge/munged.pid" \
    --log-file="$dir/munge/munged.log" --seed-file="$dir/munge/seed"

  chown mysql:mysql "$dir/mysql"
  mariadb-install-db --no-defaults --user=mysql --datadir="$dir/mysql" >/dev/null
  setsid mariadbd --no-defaults --user=mysql --datadir="$dir/mysql" --socket="$dir/mysql/socket" --port=16820 \
    --bind-address=127.0.0.1 --pid-file="$dir/mysql/pid" --innodb-lock-wait-timeout=900 >"$dir/log/mysql.log" 2>&1 &

  sql() { mariadb --no-defaults --socket="$dir/mysql/socket" "$@"; }
  for _ in $(seq 100); do sql -e "select 1" >/dev/null 2>&1 && break; sleep 0.1; done
  secret=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
  sql -e "create database slurm; create user slurm@'localhost' identified by '$secret';
          create user slurm@'127.0.0.1' identified by '$secret';
          grant all on slurm.* to slurm@'localhost'; grant all on slurm.* to slurm@'127.0.0.1'"
  cat >"$dir/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=$munge
DbdHost=localhost
DbdPort=16819
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=16820
StorageUser=slurm
StoragePass=$secret
StorageLoc=slurm
LogFile=$dir/log/slurmdbd.log
PidFile=$dir/slurmdbd.pid
CONF
  chmod 600 "$dir/slurmdbd.conf"

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
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=16819
AccountingStoragePass=$munge
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
SlurmdTimeout=10
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
KillWait=5
$(for k in $(seq "$n"); do
    echo "NodeName=n$k NodeHostname=$host NodeAddr=127.0.0.1 Port=$((17000 + k)) CPUs=$(nproc) RealMemory=$memory State=UNKNOWN"
  done)
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
  export SLURM_CONF=$conf
  slurmdbd
  for _ in $(seq 100); do sacctmgr -n list cluster >/dev/null 2>&1 && break; sleep 0.1; done
  sacctmgr -i add cluster test >/dev/null 2>&1 || true
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
