# Its consoles are those of its command line alone, with the driver of hvc0; SSH and a job run from the store.
load virtio_console
until (: >/dev/hvc0) 2>/dev/null; do sleep 0.1; done # there a moment before it can be opened
killall nc
serve_ssh "$store/dropbear"
job
