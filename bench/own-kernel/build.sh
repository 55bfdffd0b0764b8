#!/bin/sh
# Builds from Debian's linux-source a kernel such as CI uses and no distribution ships. It takes the demo guest's initrd;
# half an hour on two cores.
#   bench/own-kernel/build.sh SOURCES [NAME…]     unpacked linux-source, and files beside this one that are put over `config`;
#                                                 prints the path of the image
# Needs: flex bison bc libelf-dev dwarves gcc make
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources=$1
shift
for name; do
  shift
  set -- "$@" "$here/$name"
done
cd "$sources"
scripts/kconfig/merge_config.sh -m "$here/config" "$@" >/dev/null
mv .config .wanted
make -s tinyconfig
scripts/kconfig/merge_config.sh -m .config .wanted >/dev/null
make -s olddefconfig
sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p' .wanted | while read -r name; do
  if grep -q "^$name=" .config; then echo "$name is on all the same" >&2; fi
done
grep '^CONFIG' .wanted | while read -r line; do
  grep -qx "$line" .config || echo "not in this kernel: $line" >&2
done
make -s -j"$(nproc)" bzImage
echo "$PWD/arch/x86/boot/bzImage"
