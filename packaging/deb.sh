#!/bin/bash
# Builds wedgewatch_VERSION_all.deb in the current directory, of the tarball of `npm pack`: with its production modules,
# so that Debian's nodejs is all it takes. Needs dpkg-deb, node and npm.
#   packaging/deb.sh [wedgewatch-VERSION.tgz]
set -euo pipefail

here=$PWD
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 022

tarball=${1:-}
if [ -z "$tarball" ]; then
  (cd "$project" && npm pack --silent --pack-destination "$scratch" >/dev/null)
  tarball=$(echo "$scratch"/wedgewatch-*.tgz)
fi

root=$scratch/root
library=$root/usr/lib/wedgewatch
documents=$root/usr/share/doc/wedgewatch
mkdir -p "$library" "$documents" "$root/usr/bin" "$root/DEBIAN"
tar -xzf "$tarball" -C "$library" --strip-components=1 --no-same-owner --no-same-permissions
version=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).version' "$library/package.json")

ln -s ../lib/wedgewatch/dist/cli/main.js "$root/usr/bin/wedgewatch"
mkdir -p "$root/usr/lib/systemd/user" "$root/usr/lib/systemd/system"
for unit in wedgewatch.service wedgewatch-alarm.service; do
  sed 's|^ExecStart=%h/.local/bin/wedgewatch|ExecStart=/usr/bin/wedgewatch|' "$library/systemd/$unit" \
    >"$root/usr/lib/systemd/user/$unit"
  sed 's|^ExecStart=/usr/local/bin/wedgewatch|ExecStart=/usr/bin/wedgewatch|' "$library/systemd/system/$unit" \
    >"$root/usr/lib/systemd/system/$unit"
done
install -D -m 644 "$library/systemd/user@.service.d/50-wedgewatch.conf" \
  "$root/usr/lib/systemd/system/user@.service.d/50-wedgewatch.conf"
completions=$root/usr/share/bash-completion/completions
mkdir -p "$completions"
node "$library/dist/cli/main.js" completion bash >"$completions/wedgewatch"
manuals=$root/usr/share/man/man1
mkdir -p "$manuals"
gzip -9 --no-name <"$library/dist/wedgewatch.1" >"$manuals/wedgewatch.1.gz"
mv "$library/docs" "$library/README.md" "$library/CHANGELOG.md" "$library/config.example.yaml" "$documents"
cp "$library/LICENSE" "$documents/copyright"

cat >"$root/DEBIAN/control" <<CONTROL
Package: wedgewatch
Version: $version
Architecture: all
Maintainer: wedgewatch <maintainer@wedgewatch.invalid>
Depends: nodejs (>= 20.19), systemd (>= 252)
Recommends: openssh-client
Suggests: binutils
Section: utils
Priority: optional
Homepage: https://github.com/wedgewatch/wedgewatch
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Description: watchdog for wedged QEMU guests
 It follows the console of each guest and probes its SSH server. When a guest
 stops making progress, it reads its stacks from its memory and by Alt+SysRq,
 says in one line where the guest is stuck, and archives the evidence.
 .
 Each user whose guests are to be watched runs "wedgewatch install" once.
CONTROL
# journald's limit for the consoles holds from the next start of user@UID.service, which a reload prepares.
cat >"$root/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
POSTINST
cp "$root/DEBIAN/postinst" "$root/DEBIAN/postrm"
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/postrm"

# The same tarball gives the same package.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$tarball")}
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

name=wedgewatch_${version}_all.deb
dpkg-deb --root-owner-group --build "$root" "$here/$name" >/dev/null
echo "$here/$name"
