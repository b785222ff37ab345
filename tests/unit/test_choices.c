/* Choices of the deck are the rows of tables: each key has the right one, and every row can be chosen by its name. */
#include "cmd/cmd.h"
#include "physics/electrode/electrode.h"
#include "score/net.h"
#include "scoria/score.h"
#include "testing.h"
#include "score/processes.h"
#include "score/samplers/samplers.h"

/* The words of a key after `skip` of them are the names of a table of n rows, in any order. */
static void words_are_rows(const char *name, int skip, int n, const char *const rows[])
{
  for (const ScoriaKey *const *table = cmd_tables(); *table; table++)
    for (const ScoriaKey *key = *table; key->name; key++) {
      if (strcmp(key->name, name)) continue;
      char choices[SCORIA_CHOICES_SIZE];
      int words = 0;
      key_choices(key, choices);
      for (const char *at = choices; *at; words++) {
        const size_t length = strcspn(at, " ");
        bool found          = words < skip;
        for (int i = 0; i < n; i++) found = found || (strlen(rows[i]) == length && !strncmp(rows[i], at, length));
        if (!found) fail_msg("%s: the choice %.*s has no row", name, (int)length, at);
        at += length + (at[length] == ' ');
      }
      assert_int_equal(words, n + skip);
      return;
    }
  fail_msg("no key %s", name);
}

#define MOST 16
#define NAMES(table)                                                                                                   \
  const char *names[MOST]             = {NULL};                                                                        \
  int n                               = 0;                                                                             \
  for (; table[n].name; n++) names[n] = table[n].name

static void samplers(void **state)
{
  (void)state;
  NAMES(scoria_samplers);
  words_are_rows("sample_sampler", 0, n, names);
  for (int i = 0; i < n; i++) assert_ptr_equal(sampler_find(names[i]), &scoria_samplers[i]);
}

static void processes(void **state)
{
  (void)state;
  NAMES(scoria_processes);
  words_are_rows("train_process", 0, n, names);
  words_are_rows("sample_process", 1, n, names); /* "trained" before them */
  for (int i = 0; i < n; i++) assert_ptr_equal(process_find(names[i]), &scoria_processes[i]);
}

static void networks(void **state)
{
  (void)state;
  NAMES(scoria_networks);
  words_are_rows("train_network", 0, n, names);
  for (int i = 0; i < n; i++) assert_ptr_equal(network_find(names[i]), &scoria_networks[i]);
}

static void electrolytes(void **state)
{
  (void)state;
  NAMES(scoria_electrolytes);
  words_are_rows("electrode_electrolyte", 0, n, names);
}

static void open_circuit_curves(void **state)
{
  (void)state;
  NAMES(scoria_ocps);
  words_are_rows("electrode_ocp", 0, n, names);
}

static void kinetics(void **state)
{
  const char *names[MOST] = {NULL};
  int n                   = 0;
  (void)state;
  for (; scoria_kinetics[n]; n++) names[n] = scoria_kinetics[n]->name;
  words_are_rows("electrode_model", 0, n, names);
}

static void problems(void **state)
{
  const char *names[MOST] = {NULL};
  int n                   = 0;
  (void)state;
  for (; scoria_problems[n]; n++) names[n] = scoria_problems[n]->name;
  words_are_rows("ensemble_problem", 0, n, names);
}

static void parameter_sets(void **state)
{
  static const char *const names[] = {"article", "chen2020_negative", "chen2020_positive", "marquis2019_negative",
                                      "marquis2019_positive"};
  (void)state;
  words_are_rows("electrode_set", 0, 5, names);
}

/* Words in front of a table's, and a list of words alone; other keys have none. */
static void words_and_rows(void **state)
{
  static const struct {
    const char *name;
    int number;
  } rows[] = {{"c", 1}, {"d", 2}, {NULL, 0}}, one = {"e", 3};
  static const void *const to[]       = {&rows[1], &one, NULL};
  const ScoriaChoices pointers        = {.words = "a b", .table = to};
  const ScoriaKey keys[]              = {{.name = "listed", .choices = SCORIA_WORDS("a b")},
                                         {.name = "rows", .choices = SCORIA_ROWS(rows)},
                                         {.name = "pointers", .choices = &pointers},
                                         {.name = "none"}};
  static const char *const expected[] = {"a b", "c d", "a b d e", ""};
  char choices[SCORIA_CHOICES_SIZE];
  (void)state;
  for (int i = 0; i < 4; i++) {
    key_choices(&keys[i], choices);
    assert_string_equal(choices, expected[i]);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samplers),     cmocka_unit_test(processes),      cmocka_unit_test(networks),
      cmocka_unit_test(electrolytes), cmocka_unit_test(kinetics),       cmocka_unit_test(open_circuit_curves),
      cmocka_unit_test(problems),     cmocka_unit_test(parameter_sets), cmocka_unit_test(words_and_rows)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
