# A program with two threads that hold a mutex each and wait for the other's (futex); nothing is wrong in the kernel.
abba &
sleep 3
