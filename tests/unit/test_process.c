/* The table of diffusion processes. */
#include "scoria/score.h"
#include "testing.h"
#include "score/processes.h"
#include <math.h>

/* Every process: time is the inverse of sigma(t), the rates are the derivatives (central differences of step 1e-5:
 * h^2 and rounding / h are below 1e-7 of scales that vary over t ~ .1), the grid runs from end to end, and training
 * levels rise with the quantile. */
static void processes_are_consistent(void **state)
{
  (void)state;
  for (const ScoriaProcessRow *p = scoria_processes; p->name; p++) {
    assert_ptr_equal(process_find(p->name), p);
    for (double sigma = 0.003; sigma < 100; sigma *= 1.7) {
      ScoriaLevel at, up, down;
      const double t = p->time(sigma), h = 1e-5 * t;
      p->at(t, &at);
      p->at(t + h, &up);
      p->at(t - h, &down);
      assert_true(at.t == t && fabs(at.sigma / sigma - 1) < 1e-9 && at.scale > 0 && at.scale <= 1);
      assert_true(fabs((up.sigma - down.sigma) / (2 * h) - at.sigma_rate) < 1e-6 * fabs(at.sigma_rate));
      assert_true(fabs((up.scale - down.scale) / (2 * h) - at.scale_rate) < 1e-6 * (1 + fabs(at.scale_rate)));
      assert_true(p->weight(sigma) > 0 && p->weight(sigma) <= 1);
    }
    assert_true(p->node(p->time(30), p->time(0.01), 0) == p->time(30));
    assert_true(fabs(p->node(p->time(30), p->time(0.01), 1) - p->time(0.01)) < 1e-12);
  }
}

/* Levels of training: ln sigma normal for edm (a table of the normal distribution), time uniform for the others. */
static void training_draws_the_law_of_the_process(void **state)
{
  (void)state;
  for (const ScoriaProcessRow *p = scoria_processes; p->name; p++) {
    const ScoriaProcess training = {-0.2, 2, p};
    const double first = p->time(exp(p->draw(&training, 1e-9))), last = p->time(exp(p->draw(&training, 1 - 1e-9)));
    for (double u = 0.02; u < 0.99; u += 0.03) {
      const double level = p->draw(&training, u);
      if (strcmp(p->name, "edm") == 0)
        assert_true(fabs(0.5 * erfc(-(level + 0.2) / 2 / sqrt(2)) - u) < 1e-12);
      else
        assert_true(fabs((p->time(exp(level)) - first) / (last - first) - u) < 1e-6);
    }
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(processes_are_consistent),
      cmocka_unit_test(training_draws_the_law_of_the_process),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
