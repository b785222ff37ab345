/* The lock of a run directory, held by rank 0: flock where the file system has it, else a file that is made exclusively
 * and names its holder. */
#ifndef SCORIA_BASE_RUNLOCK_H
#define SCORIA_BASE_RUNLOCK_H

#include "scoria/base.h"

typedef enum { RUN_LOCK_HELD, RUN_LOCK_OF_ANOTHER, RUN_LOCK_FAILED } RunLockOutcome;

/* Tries once to take the lock of dir, local.  fd: of the file that is locked; closing it releases the lock.  exclusive:
 * set where the file system has no flock, so that dir/.lock.owner holds the directory.  said: why it failed, or which
 * file of whose holds the directory; empty where that is not known. */
RunLockOutcome run_lock_try(const char *dir, int fd, bool *exclusive, size_t size, char said[]);

#endif
