/*
 * Each of the first two CPUs takes a spinlock with its interrupts off, and then the other's: a machine in which nothing
 * runs any more and no key is heard.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(abba_first);
static DEFINE_SPINLOCK(abba_second);
static atomic_t taken = ATOMIC_INIT(0);

static noinline void abba_take(spinlock_t *own, spinlock_t *other)
{
	unsigned long flags;

	/* insmod ends first: it needs an answer of each CPU. */
	msleep(1000);
	spin_lock_irqsave(own, flags);
	atomic_inc(&taken);
	while (atomic_read(&taken) < 2)
		cpu_relax();
	spin_lock(other);
	spin_unlock(other);
	spin_unlock_irqrestore(own, flags);
}

static noinline int abba_forwards(void *unused)
{
	abba_take(&abba_first, &abba_second);
	return 0;
}

static noinline int abba_backwards(void *unused)
{
	abba_take(&abba_second, &abba_first);
	return 0;
}

static int __init abba_init(void)
{
	struct task_struct *forwards = kthread_create(abba_forwards, NULL, "abba/0");
	struct task_struct *backwards = kthread_create(abba_backwards, NULL, "abba/1");

	kthread_bind(forwards, 0);
	kthread_bind(backwards, 1);
	wake_up_process(forwards);
	wake_up_process(backwards);
	return 0;
}
module_init(abba_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Two CPUs that wait for each other, with interrupts off");
