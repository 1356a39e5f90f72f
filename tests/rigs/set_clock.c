/* LD_PRELOAD: the wall clock of one process, wrong by what the file CLOCK_ERROR says, so that a
 * test can set it. The file holds two doubles: seconds to add to the machine's own clock, and
 * whether the kernel is to say that nobody has set it. The monotonic clock stays. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static volatile const double *told;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("CLOCK_ERROR");
    int handle = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *found = mmap(NULL, 2 * sizeof *told, PROT_READ, MAP_SHARED, handle, 0);
    told = found == MAP_FAILED ? NULL : found;
    if (handle >= 0) close(handle);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    long done = syscall(SYS_clock_gettime, clock, at);
    if (!done && told && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += (time_t)told[0];
    return (int)done;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

int adjtimex(struct timex *asked) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    asked->status = told && told[1] ? STA_UNSYNC : 0;
    return told && told[1] ? TIME_ERROR : TIME_OK;
}
