# Before SSH: the boot waits for a job whose text lies on the store.
echo 'scene: reads the store'
job
wait
