# As in virtme-ng: the kernel's console is the virtio one. SSH and a job run from the store, as in mode `job`.
load virtio_console
until (: >/dev/hvc0) 2>/dev/null; do sleep 0.1; done # there a moment before it can be opened
exec </dev/hvc0 >/dev/hvc0 2>&1
serve_ssh "$store/dropbear"
job
echo 'guest login:'
wait
