/* Choices of the deck are the rows of tables: each key has the right one, every row can be chosen by its name, is
 * whole, and is named where the deck's help lists what there is. */
#include "cmd/cmd.h"
#include "draw/family.h"
#include "physics/porosity_field.h"
#include "physics/electrode/electrode.h"
#include "score/basis.h"
#include "score/net.h"
#include "scoria/run_files.h"
#include "scoria/score.h"
#include "testing.h"
#include "score/processes.h"
#include "score/samplers/samplers.h"
#include <math.h>

static const ScoriaKey *find_key(const char *name)
{
  for (const ScoriaKey *const *table = cmd_tables(); *table; table++)
    for (const ScoriaKey *key = *table; key->name; key++)
      if (!strcmp(key->name, name)) return key;
  fail_msg("no key %s", name);
  return NULL;
}

/* The words of a key after `skip` of them are the names of a table of n rows, in any order. */
static void words_are_rows(const char *name, int skip, int n, const char *const rows[])
{
  char choices[SCORIA_CHOICES_SIZE];
  int words = 0;
  key_choices(find_key(name), choices);
  for (const char *at = choices; *at; words++) {
    const size_t length = strcspn(at, " ");
    bool found          = words < skip;
    for (int i = 0; i < n; i++) found = found || (strlen(rows[i]) == length && !strncmp(rows[i], at, length));
    if (!found) fail_msg("%s: the choice %.*s has no row", name, (int)length, at);
    at += length + (at[length] == ' ');
  }
  assert_int_equal(words, n + skip);
}

/* A word of the text, and no part of one. */
static bool has_word(const char *text, const char *word)
{
  const size_t length = strlen(word);
  for (const char *at = text; (at = strstr(at, word)); at++)
    if ((at == text || !strchr("abcdefghijklmnopqrstuvwxyz_", at[-1])) &&
        (!at[length] || !strchr("abcdefghijklmnopqrstuvwxyz_", at[length])))
      return true;
  return false;
}

static void help_names(const char *key, const char *word)
{
  if (!has_word(find_key(key)->help, word)) fail_msg("the help of %s does not name %s", key, word);
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

static void deck_of(const char *key, const char *value, ScoriaDeck *deck)
{
  const size_t section = strcspn(key, "_");
  char text[128];
  snprintf(text, sizeof text, "%.*s: {%s: %s}\n", (int)section, key, key + section + 1, value);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, cmd_tables(), deck));
}

/* Every set has what its kinetics and its electrolyte need. */
static void parameter_sets(void **state)
{
  char words[SCORIA_CHOICES_SIZE], *save = NULL;
  (void)state;
  key_choices(find_key("electrode_set"), words);
  for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    ScoriaElectrode el;
    ScoriaDeck deck;
    deck_of("electrode_set", word, &deck);
    CHECK(ElectrodeFromDeck(deck, &el));
    assert_string_equal(el.set, word);
    assert_true(el.L > 0 && el.T > 0 && el.c_R > 0 && el.t_plus > 0 && el.t_plus < 1);
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

static void bases(void **state)
{
  (void)state;
  NAMES(scoria_bases);
  words_are_rows("train_basis", 1, n, names); /* "auto" before them */
  for (const NormBasis *b = scoria_bases; b->name; b++) {
    assert_true(*b->help && (b->whole || !b->periodic) && !b->scores == !b->values);
    assert_true(b->create && b->prepare && b->destroy && b->save && b->load && b->sizes && b->space && b->at &&
                b->encode && b->decode && b->log_volume && b->volume_work);
    help_names("train_basis", b->whole ? b->name : "profiles");
  }
}

/* Each can be asked for by its name, alone or with a number, and is told in the help of the keys that take it. */
static void fidelities(void **state)
{
  (void)state;
  for (int i = 0; fidelity_rows[i]; i++) {
    const FidelityRow *row = fidelity_rows[i];
    assert_true(*row->help && row->fits && row->create && row->take);
    for (int k = 0; k < 3 && row->numbers[k]; k++) assert_true(row->numbers[k] >= row->least);
    for (int k = 0; k < i; k++) assert_string_not_equal(fidelity_rows[k]->name, row->name);
    if (i) help_names("uq_fidelities", row->name);
    if (!row->other) help_names("ensemble_fidelity", row->name);
  }
}

/* Covariances of unit variance that fall off to nothing, and the transforms of which are positive: no other function is
 * a law's.  Sums at STEP have the error of the trapezoidal rule at the kink of an exponential, STEP^2 / 12. */
static void kernels(void **state)
{
  const double step = 1e-3;
  (void)state;
  NAMES(field_kernels);
  words_are_rows("porosity_kernel", 0, n, names);
  for (const FieldKernel *kernel = field_kernels; kernel->name; kernel++) {
    const double reach = kernel_reach(kernel);
    assert_true(fabs(kernel->covariance(0) - 1) < 1e-15);
    for (double r = 0; r < reach; r += 0.1) assert_true(kernel->covariance(r + 0.1) < kernel->covariance(r));
    for (double wave = 0; wave < 20; wave += 0.5) {
      double sum = kernel->covariance(0) / 2;
      for (double r = step; r < reach; r += step) sum += kernel->covariance(r) * cos(wave * r);
      if (!(sum * step > -step * step / 12)) fail_msg("%s: no law has this covariance", kernel->name);
    }
  }
}

/* Every file has a command that is there, and a name of its own in it; defaults of the keys that name results are
 * among them. */
static void run_files(void **state)
{
  (void)state;
  for (const ScoriaRunFile *f = scoria_run_files; f->name; f++) {
    const char *dot = strrchr(f->name, '.');
    assert_true(dot && (f->text || !strcmp(dot, ".xdmf")));
    assert_true(f->command ? cmd_find(f->command) != NULL : !f->is && !f->kind);
    assert_true(!f->kind || !strcmp(dot, ".h5"));
    assert_ptr_equal(run_file_find(f->name, f->command), f);
  }
  for (const ScoriaKey *const *table = cmd_tables(); *table; table++)
    for (const ScoriaKey *key = *table; key->name; key++) {
      const char *dot = key->type == SCORIA_KEY_STRING && key->value ? strrchr(key->value, '.') : NULL;
      if (dot && (!strcmp(dot, ".h5") || !strcmp(dot, ".json")) && !run_file_find(key->value, NULL))
        fail_msg("%s: %s is no file of a run", key->name, key->value);
    }
}

/* What a problem lists of itself has names, units and words of its own; derived fields are in the help. */
static void parts_of_problems(void **state)
{
  (void)state;
  for (int i = 0; scoria_problems[i]; i++) {
    ScoriaProblemQuantity quantity[SCORIA_MAX_QUANTITIES];
    const ScoriaProblem *problem;
    ScoriaDeck deck;
    void *p;
    deck_of("ensemble_problem", scoria_problems[i]->name, &deck);
    CHECK(ScoriaProblemFromDeck(deck, &problem, &p));
    assert_ptr_equal(problem, scoria_problems[i]);
    const int n = problem->quantities ? problem->quantities(p, quantity) : 0;
    for (int q = 0; q < n; q++) {
      assert_true(*quantity[q].name && *quantity[q].description && quantity[q].factor != 0);
      assert_true(quantity[q].field >= 0 && quantity[q].field < MAX_UNKNOWNS && quantity[q].side / 2 == 0);
      for (int k = 0; k < q; k++) assert_string_not_equal(quantity[k].name, quantity[q].name);
    }
    help_names("ensemble_derived", problem->name);
    for (const ScoriaField *f = problem->derived_fields; f && *f->name; f++) {
      assert_true(*f->description && problem->derive_field && f - problem->derived_fields < MAX_DERIVED_FIELDS);
      help_names("ensemble_derived", f->name);
    }
    for (const ScoriaParameter *of = problem->parameters; of && of->row.name; of++) {
      assert_true(of->row.optional && of->offset + sizeof(double) <= problem->size);
      assert_string_equal(find_key(of->row.range)->unit, of->row.unit);
      assert_string_equal(find_key(of->row.fixed)->unit, of->row.unit);
    }
    CHECK(PetscFree(p));
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

/* Of data, whose problem is not known: fields of one value are numbers in any case, behind as many others as they come.
 */
static void fields_of_one_value_are_numbers(void **state)
{
  enum { N = 6 };
  ScoriaField field[N] = {{.name = "a"}, {.name = "b"}, {.name = "V"}, {.name = "c"}, {.name = "d"}, {.name = "I"}};
  ScoriaProblemQuantity quantity[SCORIA_MAX_QUANTITIES];
  static const char *const expected[] = {"a_x0", "a_xL", "b_x0", "b_xL", "V", "c_x0", "c_xL", "I"};
  (void)state;
  snprintf(field[2].description, sizeof field[2].description, "voltage%s", SCORIA_ONE_VALUE);
  snprintf(field[5].description, sizeof field[5].description, "current%s", SCORIA_ONE_VALUE);
  assert_int_equal(problem_quantities(NULL, NULL, N, field, quantity), SCORIA_MAX_QUANTITIES);
  for (int i = 0; i < SCORIA_MAX_QUANTITIES; i++) assert_string_equal(quantity[i].name, expected[i]);
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(samplers),
                                     cmocka_unit_test(processes),
                                     cmocka_unit_test(networks),
                                     cmocka_unit_test(electrolytes),
                                     cmocka_unit_test(kinetics),
                                     cmocka_unit_test(open_circuit_curves),
                                     cmocka_unit_test(problems),
                                     cmocka_unit_test(parameter_sets),
                                     cmocka_unit_test(bases),
                                     cmocka_unit_test(fidelities),
                                     cmocka_unit_test(kernels),
                                     cmocka_unit_test(run_files),
                                     cmocka_unit_test(parts_of_problems),
                                     cmocka_unit_test(words_and_rows),
                                     cmocka_unit_test(fields_of_one_value_are_numbers)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
