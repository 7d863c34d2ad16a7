/* What a process asks of its disk, seen and refused: loaded before libc (LD_PRELOAD), driven by ctypes.

   faults_trace() begins a record of every write, truncation, sync, rename and removal below a folder, with its bytes
   and in the order in which the kernel did it. faults_arm() lets the n-th such call fail. Both at once are possible. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRITES = 1, SYNCS = 2, TRUNCATES = 4, READS = 8 };
enum { REFUSED = 0, SHORT = 1, TORN = 2 };  /* how a call fails; SHORT is no error: fewer bytes than asked for */

struct record { char what; char pad[3]; uint32_t name; uint64_t inode, offset, length; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[4096];
static size_t root_length;
static int trace = -1;
static int kinds, how, error, lasting;
static long wanted, seen, hit;

/* The kind of file behind a descriptor where it lies below the root: 'f', 'd', or 0. */
static char below(int file, char *name, struct stat *about) {
    char link[64];
    if (!root_length) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, 4095);
    if (length < (ssize_t)root_length - 1 || memcmp(name, root, root_length - 1)) return 0;
    name[length] = 0;
    if (name[root_length - 1] != '/' && name[root_length - 1]) return 0; /* a neighbour whose name begins so */
    if (fstat(file, about)) return 0;
    return S_ISREG(about->st_mode) ? 'f' : S_ISDIR(about->st_mode) ? 'd' : 0;
}

static void put(const void *data, size_t length) {
    const char *at = data;
    while (length) {
        ssize_t done = syscall(SYS_write, trace, at, length);
        if (done <= 0) return;
        at += done, length -= done;
    }
}

static void note(char what, const char *name, uint64_t inode, uint64_t offset, uint64_t length, const void *data) {
    if (trace < 0) return;
    const char *end = strstr(name, "-shm");
    if (end && !end[4]) return;  /* the index of the log: shared memory, made anew after a crash */
    struct record head = {what, {0}, (uint32_t)strlen(name), inode, offset, length};
    put(&head, sizeof head);
    put(name, head.name);
    if (data) put(data, length);
}

/* Whether this call is the one that fails. */
static int strikes(int kind) {
    if (!(kinds & kind)) return 0;
    seen++;
    if (seen == wanted || (lasting && seen > wanted)) { hit++; return 1; }
    return 0;
}

static ssize_t written(int file, const void *data, size_t length, off_t offset) {
    char name[4096];
    struct stat about;
    int saved = errno;
    if (below(file, name, &about) != 'f') {
        errno = saved;
        return offset < 0 ? syscall(SYS_write, file, data, length) : syscall(SYS_pwrite64, file, data, length, offset);
    }
    pthread_mutex_lock(&lock);
    off_t place = offset < 0 ? lseek(file, 0, SEEK_CUR) : offset;
    size_t asked = length;
    int strike = strikes(WRITES);
    if (strike) asked = how == REFUSED ? 0 : length / 2;
    ssize_t done = asked || !strike ? (offset < 0 ? syscall(SYS_write, file, data, asked)
                                                  : syscall(SYS_pwrite64, file, data, asked, offset)) : 0;
    saved = errno;
    if (done > 0) note('w', name, about.st_ino, place, done, data);
    if (strike && (how != SHORT || asked == 0)) { done = -1; saved = error; }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return done;
}

ssize_t write(int file, const void *data, size_t length) { return written(file, data, length, -1); }
ssize_t pwrite(int file, const void *data, size_t length, off_t at) { return written(file, data, length, at); }
ssize_t pwrite64(int file, const void *data, size_t length, off_t at) { return written(file, data, length, at); }

static ssize_t fetched(int file, void *data, size_t length, off_t offset) {
    char name[4096];
    struct stat about;
    int saved = errno, strike = 0;
    if ((kinds & READS) && below(file, name, &about) == 'f') {
        pthread_mutex_lock(&lock);
        strike = strikes(READS);
        pthread_mutex_unlock(&lock);
    }
    if (strike) { errno = error; return -1; }
    errno = saved;
    return offset < 0 ? syscall(SYS_read, file, data, length) : syscall(SYS_pread64, file, data, length, offset);
}

ssize_t read(int file, void *data, size_t length) { return fetched(file, data, length, -1); }
ssize_t pread(int file, void *data, size_t length, off_t at) { return fetched(file, data, length, at); }
ssize_t pread64(int file, void *data, size_t length, off_t at) { return fetched(file, data, length, at); }

static int synced(int file, long call) {
    char name[4096];
    struct stat about;
    int saved = errno;
    char kind = below(file, name, &about);
    if (!kind) { errno = saved; return syscall(call, file); }
    pthread_mutex_lock(&lock);
    int done = strikes(SYNCS) ? (errno = error, -1) : syscall(call, file);
    saved = errno;
    if (!done) note(kind == 'd' ? 'd' : 's', name, about.st_ino, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return done;
}

int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

static int truncated(int file, off_t length) {
    char name[4096];
    struct stat about;
    int saved = errno;
    if (below(file, name, &about) != 'f') { errno = saved; return syscall(SYS_ftruncate, file, length); }
    pthread_mutex_lock(&lock);
    int done = strikes(TRUNCATES) ? (errno = error, -1) : syscall(SYS_ftruncate, file, length);
    saved = errno;
    if (!done) note('t', name, about.st_ino, length, 0, NULL);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return done;
}

int ftruncate(int file, off_t length) { return truncated(file, length); }
int ftruncate64(int file, off_t length) { return truncated(file, length); }

static int moved(const char *from, const char *to) {
    struct stat about;
    pthread_mutex_lock(&lock);
    int known = root_length && !memcmp(from, root, root_length) && !stat(from, &about);
    int done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), saved = errno;
    if (!done && known) note('r', from, about.st_ino, 0, strlen(to), to);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return done;
}

static int removed(const char *name) {
    struct stat about;
    pthread_mutex_lock(&lock);
    int known = root_length && !memcmp(name, root, root_length) && !stat(name, &about);
    int done = syscall(SYS_unlinkat, AT_FDCWD, name, 0), saved = errno;
    if (!done && known) note('u', name, about.st_ino, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return done;
}

int rename(const char *from, const char *to) { return moved(from, to); }
int unlink(const char *name) { return removed(name); }

/* -- what the test calls ------------------------------------------------------------------------------------------ */

void faults_root(const char *folder) {
    snprintf(root, sizeof root, "%s/", folder);
    root_length = strlen(root);
}

int faults_trace(const char *file) {
    trace = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return trace < 0 ? -1 : 0;
}

/* Somebody was told: from this place in the record on, `text` may not be lost. */
void faults_told(const char *text) {
    pthread_mutex_lock(&lock);
    note('a', text, 0, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
}

void faults_arm(int kinds_, long wanted_, int how_, int error_, int lasting_) {
    pthread_mutex_lock(&lock);
    kinds = kinds_, wanted = wanted_, how = how_, error = error_, lasting = lasting_, seen = hit = 0;
    pthread_mutex_unlock(&lock);
}

void faults_disarm(void) { kinds = 0; }  /* what was counted can still be asked for */
long faults_seen(void) { return seen; }
long faults_hit(void) { return hit; }
