# Two CPUs wait for each other's spinlock with interrupts off: no key is heard, nothing is printed.
insmod /wedges/abba_spin.ko
