# As after an oops in an interrupt.
sleep 1
echo c >/proc/sysrq-trigger
