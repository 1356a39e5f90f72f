/* LD_PRELOAD: stands in for a kernel's shared buffers, so that libcamera and picamera2 get memory
 * on a machine whose kernel has neither udmabuf nor a dma heap. Opening one of the two devices
 * gives a plain anonymous file; asking it for a buffer gives another, of the size wanted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct udmabuf_create {
    uint32_t memfd, flags;
    uint64_t offset, size;
};
struct heap_allocation {
    uint64_t length;
    uint32_t handle, handle_flags;
    uint64_t heap_flags;
};
#define UDMABUF_CREATE _IOW('u', 0x42, struct udmabuf_create)
#define HEAP_ALLOCATE _IOWR('H', 0, struct heap_allocation)
#define BUFFER_SYNC _IOW('b', 0, uint64_t)
#define BUFFER_NAME _IOW('b', 1, const char *)

static int stands_in(const char *path) {
    return path && (!strcmp(path, "/dev/udmabuf") || !strcmp(path, "/dev/dma_heap/linux,cma"));
}

static int device(void) { return memfd_create("buffers", MFD_CLOEXEC); }

#define OPEN(NAME)                                                     \
    int NAME(const char *path, int flags, ...) {                       \
        static int (*real)(const char *, int, ...);                    \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        int mode = va_arg(rest, int);                                  \
        va_end(rest);                                                  \
        if (stands_in(path)) return device();                          \
        if (!real) real = dlsym(RTLD_NEXT, #NAME);                     \
        return real(path, flags, mode);                                \
    }
OPEN(open)
OPEN(open64)

int openat(int folder, const char *path, int flags, ...) {
    static int (*real)(int, const char *, int, ...);
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    if (stands_in(path)) return device();
    if (!real) real = dlsym(RTLD_NEXT, "openat");
    return real(folder, path, flags, mode);
}

int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }

static int allocate(struct heap_allocation *wanted) {
    int handle = device();
    if (handle < 0) return -1;
    if (ftruncate(handle, (off_t)wanted->length) < 0) {
        close(handle);
        return -1;
    }
    wanted->handle = (uint32_t)handle;
    return 0;
}

int ioctl(int handle, unsigned long request, ...) {
    static int (*real)(int, unsigned long, ...);
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (!real) real = dlsym(RTLD_NEXT, "ioctl");
    switch ((uint32_t)request) {
    case (uint32_t)UDMABUF_CREATE:
        return fcntl((int)((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
    case (uint32_t)HEAP_ALLOCATE:
        return allocate(argument);
    case (uint32_t)BUFFER_NAME:
        return 0;
    case (uint32_t)BUFFER_SYNC: {
        int result = real(handle, request, argument);
        return result < 0 && errno == ENOTTY ? 0 : result;
    }
    default:
        return real(handle, request, argument);
    }
}
