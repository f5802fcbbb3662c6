// Swift's `Mutex` locks and unlocks inside the program as long as nobody waits, where the thread sanitizer sees its atomic
// steps. Where threads meet at it, Swift's own library does the rest, which is built without the sanitizer: what one thread
// did before it unlocked then seems to race with what the next does. These two stand in front of that library's functions,
// call them, and tell the sanitizer what they did.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"

typedef SWIFT void (*lock_function)(uint32_t thread, SELF void *self);
typedef SWIFT void (*unlock_function)(SELF void *self);
typedef SWIFT _Bool (*try_function)(SELF void *self);

SWIFT void lock_slow(uint32_t thread, SELF void *self) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF void *self) __asm__(UNLOCK_SLOW);
SWIFT _Bool try_lock_slow(SELF void *self) __asm__(TRY_LOCK_SLOW);

static lock_function real_lock;
static unlock_function real_unlock;
static try_function real_try;

__attribute__((constructor)) static void find(void) {
    real_lock = (lock_function)dlsym(RTLD_NEXT, LOCK_SLOW);
    real_unlock = (unlock_function)dlsym(RTLD_NEXT, UNLOCK_SLOW);
    real_try = (try_function)dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
}

SWIFT void lock_slow(uint32_t thread, SELF void *self) {
    real_lock(thread, self);
    __tsan_acquire(self);
}

SWIFT void unlock_slow(SELF void *self) {
    __tsan_release(self);
    real_unlock(self);
}

SWIFT _Bool try_lock_slow(SELF void *self) {
    _Bool taken = real_try(self);
    if (taken) __tsan_acquire(self);
    return taken;
}
