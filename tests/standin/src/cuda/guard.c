/* Runs a kernel's twin so that a wrong address ends the kernel, not the process: as on a device. Kernels hold nothing
 * that would have to be given back, so leaving them by a jump is safe. Faults elsewhere go to whoever handled them
 * before. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

typedef void (*kernel)(const void *parameters, const unsigned grid[3], const unsigned block[3]);

static __thread sigjmp_buf *way_out;
static __thread volatile uintptr_t fault_at;
static struct sigaction before_segv, before_bus;

static void on_fault(int number, siginfo_t *info, void *context) {
    if (way_out) {
        fault_at = (uintptr_t)info->si_addr;
        siglongjmp(*way_out, 1);
    }
    struct sigaction *before = number == SIGBUS ? &before_bus : &before_segv;
    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(number, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(number);
    } else {
        /* Back to what it was: the instruction faults again. */
        sigaction(number, before, NULL);
    }
}

static void install(void) {
    struct sigaction action = {0};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGSEGV, &action, &before_segv);
    sigaction(SIGBUS, &action, &before_bus);
}

int standin_guarded(kernel call, const void *parameters, const unsigned *grid, const unsigned *block, uintptr_t *fault) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sigjmp_buf here;
    pthread_once(&once, install);
    if (sigsetjmp(here, 1)) {
        way_out = NULL;
        *fault = fault_at;
        return 1;
    }
    way_out = &here;
    call(parameters, grid, block);
    way_out = NULL;
    return 0;
}
