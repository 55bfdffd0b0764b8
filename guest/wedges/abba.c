/* Two threads that take two mutexes in opposite order, and wait for each other. */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

static void *backwards(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&second);
	sleep(1);
	pthread_mutex_lock(&first);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	pthread_mutex_lock(&first);
	pthread_create(&thread, NULL, backwards, NULL);
	sleep(1);
	pthread_mutex_lock(&second);
	return 0;
}
