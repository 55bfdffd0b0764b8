# As in virtme-ng: the kernel's console is the virtio one. SSH and a job run from the store, as in mode `job`.
load virtio_console
until grep -q hvc0 /proc/consoles; do sleep 0.1; done
sleep 0.5 # its driver drops what comes before it has noted the console
exec </dev/hvc0 >/dev/hvc0 2>&1
serve_ssh "$store/dropbear"
job
echo 'guest login:'
wait
