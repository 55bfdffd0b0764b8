/* Loops for ever at the highest real-time priority, one process a CPU. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	struct sched_param highest = { .sched_priority = 99 };
	volatile unsigned long turns = 0;
	int cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (cpu = 0; cpu < cpus; cpu++) {
		if (cpu + 1 < cpus && fork() != 0)
			continue;
		cpu_set_t own;
		CPU_ZERO(&own);
		CPU_SET(cpu, &own);
		sched_setaffinity(0, sizeof own, &own);
		if (sched_setscheduler(0, SCHED_FIFO, &highest) != 0) {
			perror("sched_setscheduler");
			return 1;
		}
		for (;;)
			turns++;
	}
	return 0;
}
