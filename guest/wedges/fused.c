/*
 * fused DIRECTORY: a FUSE filesystem that knows its root directory and one file, `file`, which holds nothing.
 * With a second word, `self`, the server looks at its own mount when it is asked for another name.
 * The protocol is that of linux/fuse.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int device;

static void answer(const struct fuse_in_header *request, int error, void *data, size_t length)
{
	struct fuse_out_header head = { .len = sizeof head + length, .error = -error, .unique = request->unique };
	struct iovec parts[] = { { &head, sizeof head }, { data, length } };

	if (writev(device, parts, 2) < 0)
		perror("fused");
}

static void attributes(struct fuse_attr *attr, unsigned long inode)
{
	attr->ino = inode;
	attr->mode = inode == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
	attr->nlink = 1;
}

static void serve(const struct fuse_in_header *request, const char *body, const char *own)
{
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 4096 };
	struct fuse_attr_out attr = { .attr_valid = 1000 };
	struct fuse_entry_out entry = { .nodeid = 2, .attr_valid = 1000, .entry_valid = 1000 };
	struct stat status;

	switch (request->opcode) {
	case FUSE_INIT:
		return answer(request, 0, &init, sizeof init);
	case FUSE_GETATTR:
		attributes(&attr.attr, request->nodeid);
		return answer(request, 0, &attr, sizeof attr);
	case FUSE_LOOKUP:
		if (own != NULL && strcmp(body, "file") != 0)
			stat(own, &status);
		attributes(&entry.attr, entry.nodeid);
		return answer(request, 0, &entry, sizeof entry);
	default:
		return answer(request, ENOSYS, NULL, 0);
	}
}

int main(int count, char **arguments)
{
	static char buffer[1 << 16], options[99], own[99];

	if (count < 2)
		return 2;
	device = open("/dev/fuse", O_RDWR);
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	snprintf(own, sizeof own, "%s/of-my-own", arguments[1]);
	if (device < 0 || mount("fused", arguments[1], "fuse", 0, options) != 0) {
		perror("fused");
		return 1;
	}
	while (read(device, buffer, sizeof buffer) > 0)
		serve((void *)buffer, buffer + sizeof(struct fuse_in_header), count > 2 ? own : NULL);
	return 0;
}
