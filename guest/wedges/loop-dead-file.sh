# A loop device on a file of a virtiofs whose server is stopped; dd reads the device.
load loop
mknod /dev/loop0 b 7 0 2>/dev/null
losetup -r /dev/loop0 "$store/ash"
host stop-store
dd if=/dev/loop0 of=/dev/null bs=4k count=1 skip=100 &
