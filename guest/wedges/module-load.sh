# The kernel reads the partitions of a disk that does not answer (QEMU throttles it), within the loading of the disk's
# driver: insmod waits.
host throttle-disk
load virtio_blk &
sleep 2
