/* Makes a disk slow: every fsync and fdatasync takes BENCHMARKS_FSYNC_MS milliseconds more. Preloaded; strace distorts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_first(void)
{
    const char *text = getenv("BENCHMARKS_FSYNC_MS");
    long micro = text ? (long)(atof(text) * 1000) : 0;
    struct timespec left = {micro / 1000000, micro % 1000000 * 1000};

    while (nanosleep(&left, &left) != 0)
        ;
}

int fsync(int handle)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

    wait_first();
    return real(handle);
}

int fdatasync(int handle)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

    wait_first();
    return real(handle);
}
