# A boot stuck in udev, as in an initramfs: a disk stops answering (QEMU throttles it), a worker of udevd looks for a
# filesystem on it (blkid), and udevadm settle waits for the worker.
attach_disk
host throttle-disk
mkdir -p /etc/udev/rules.d
echo 'SUBSYSTEM=="block", KERNEL=="vd*", IMPORT{builtin}="blkid"' >/etc/udev/rules.d/60-disk.rules
ln -s udevadm /bin/systemd-udevd
systemd-udevd --daemon
udevadm trigger
udevadm settle --timeout=3600 &
sleep 3
