#!/bin/sh
# Run a program as AWS Lambda runs a function, without a container engine: in namespaces of its own,
# with Lambda's folders, on a read-only root, as a user without rights, within a memory limit.
#
# usage: sandbox.sh FOLDER MEGABYTES TASK LAYERS LANGUAGE RUNTIME PROGRAM [ARGUMENT...]
#   FOLDER     holds the mount points and the name of the memory group, if there is one; what lies in its
#              subfolder "lent" appears in /mnt
#   MEGABYTES  a program that takes more is killed, if the machine lends a control group for that
#   TASK       appears as /var/task, LAYERS as /opt, LANGUAGE as /var/lang, RUNTIME as /var/runtime
#   PROGRAM    a path within the sandbox; the rest of the machine's files are there to read
# Needs root. Every process of it is in the process group of the caller's choice.
set -eu

if [ "${SANDBOX_INSIDE:-}" != yes ]; then
    # Lambda ends a function that takes more memory than it was given.
    if [ -w /sys/fs/cgroup/memory ]; then
        group=/sys/fs/cgroup/memory/checkup-$$ limit=memory.limit_in_bytes
    else
        group=/sys/fs/cgroup/checkup-$$ limit=memory.max
    fi
    if mkdir "$group" && echo $(($2 * 1024 * 1024)) >"$group/$limit" && echo $$ >"$group/cgroup.procs"; then
        echo "$group" >"$1/memory-group"
        for swap in memory.swappiness memory.swap.max; do
            [ ! -w "$group/$swap" ] || echo 0 >"$group/$swap"
        done
    else
        rmdir "$group" || :
    fi 2>/dev/null
    SANDBOX_INSIDE=yes exec unshare --mount --pid --fork --kill-child --propagation private "$0" "$@"
fi

folder=$1 task=$3 layers=$4 language=$5 runtime=$6
shift 6
root=$folder/root

# show SOURCE TARGET: make a folder readable at another place.
show() {
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    mount -o remount,bind,ro "$root$2"
}

mkdir -p "$folder/changes" "$folder/lent" "$root"
mount -t tmpfs -o size=16m tmpfs "$folder/changes"
mkdir "$folder/changes/upper" "$folder/changes/work"
mount -t overlay overlay "$root" \
    -o "lowerdir=/,upperdir=$folder/changes/upper,workdir=$folder/changes/work"
show "$task" /var/task
show "$layers" /opt
show "$language" /var/lang
show "$runtime" /var/runtime
show "$folder/lent" /mnt
mount -o remount,ro,nosuid "$root"
mount -t proc -o nosuid proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o ro tmpfs "$root/dev/shm" # Lambda has none
mount -t tmpfs -o size=512m,mode=1777 tmpfs "$root/tmp"

cd /
exec "$(command -v chroot)" --userspec=993:990 --groups= "$root" "$@"
