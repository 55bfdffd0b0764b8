# Before SSH, as a systemd in an initrd: once the second console's driver is there, /dev/console is that one, and what
# userspace says leaves the serial console. The kernel's own lines stay on both.
echo 'Welcome to NixOS (Initrd)!'
load virtio_console
until (: >/dev/hvc0) 2>/dev/null; do sleep 0.1; done # there a moment before it can be opened
exec >/dev/console 2>&1
echo 'scene: reads the store'
job
wait
