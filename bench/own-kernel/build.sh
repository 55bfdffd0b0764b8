#!/bin/sh
# Builds from Debian's linux-source a kernel such as CI uses and no distribution ships. It takes the demo guest's initrd;
# half an hour on two cores.
#   bench/own-kernel/build.sh SOURCES bare|lockdep     SOURCES: unpacked linux-source. Prints the path of the image
# Needs: flex bison bc libelf-dev dwarves gcc make
set -eu
here=$(cd "$(dirname "$0")" && pwd)
parts="$here/common.config $here/$2.config"
cd "$1"
make -s tinyconfig
# shellcheck disable=SC2086
scripts/kconfig/merge_config.sh -m .config $parts >/dev/null
make -s olddefconfig
cat $parts | sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p' | while read -r name; do
  if grep -q "^$name=" .config; then echo "$name is on all the same" >&2; fi
done
cat $parts | grep '^CONFIG' | while read -r line; do
  grep -qx "$line" .config || echo "not in this kernel: $line" >&2
done
make -s -j"$(nproc)" bzImage
cp arch/x86/boot/bzImage "bzImage-$2"
echo "$PWD/bzImage-$2"
