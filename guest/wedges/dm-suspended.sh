# A device-mapper device was suspended (dmsetup suspend) below a mounted ext4 and is not resumed; cp writes to it, sync
# follows, and dd reads the device.
attach_disk
load dm_mod
export DM_DISABLE_UDEV=1
dmsetup create data --table "0 $(blockdev --getsz /dev/vda) linear /dev/vda 0"
mkdir -p /mnt/disk
mount -t ext4 /dev/mapper/data /mnt/disk
dmsetup suspend --nolockfs data
cp /proc/version /mnt/disk/ &
sleep 1
sync &
dd if=/dev/mapper/data of=/dev/null bs=4k count=1 skip=9999 &
