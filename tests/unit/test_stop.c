/* Signals: work that looks is told; work that hangs in a library ends with the second TERM. */
#include "scoria/base.h"
#include "testing.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process that never looks whether to stop, and is sent TERM after so many seconds each; the signal that ended it. */
static int ended_by(int signals, const double after[])
{
  int status        = 0;
  const pid_t child = fork();
  if (child == 0) {
    stop_catch_signals();
    for (int i = 0; i < signals; i++) {
      const double until = wall_seconds() + after[i];
      while (wall_seconds() < until) usleep(10000);
      raise(SIGTERM);
    }
    _exit(0);
  }
  assert_true(child > 0 && waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_second_term_ends_what_does_not_look(void **state)
{
  (void)state;
  assert_int_equal(ended_by(1, (double[]){0}), 0);
  assert_int_equal(ended_by(3, (double[]){0, 0.01, 0.1}), 0); /* the same one, handed on by several */
  assert_int_equal(ended_by(2, (double[]){0, 1.1}), SIGTERM);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_second_term_ends_what_does_not_look)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
