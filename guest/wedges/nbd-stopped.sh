# A network block device whose server (in this guest) is stopped with SIGSTOP; dd reads the device.
load nbd
nbdserve /dev/nbd0 &
sleep 2
dd if=/dev/nbd0 of=/dev/null bs=64k count=1
kill -STOP "$(pidof nbd-server)"
dd if=/dev/nbd0 of=/dev/null bs=64k count=1 skip=99 &
sleep 1
