/* The deck: values, defaults, layers, and every kind of bad input with its line. */
#include "scoria/base.h"
#include "testing.h"
#include <limits.h>
#include <yaml.h>

static const ScoriaKey keys[] = {
    {"porosity_sigma", SCORIA_KEY_REAL, "", "1.5", 0, 10, NULL, "a scale", SCORIA_DECIDES_SIZE},
    {"porosity_kernel", SCORIA_KEY_CHOICE, "", "se", 0, 0, SCORIA_WORDS("se matern12 matern32"), "a kernel",
     SCORIA_DECIDES_LAW},
    {"train_steps", SCORIA_KEY_INT, "", "100", 1, 1e9, NULL, "a count", SCORIA_DECIDES_STEPS},
    {"train_shuffle", SCORIA_KEY_BOOL, "", "true", 0, 0, NULL, "a switch", SCORIA_DECIDES_WEIGHTS},
    {"conditions_U0", SCORIA_KEY_RANGE, "V", NULL, -10, 10, NULL, "a range", SCORIA_DECIDES_LAW},
    {"ensemble_cells", SCORIA_KEY_INTS, "", "128", 2, 1e6, NULL, "cells", SCORIA_DECIDES_LAW},
    {"uq_quantiles", SCORIA_KEY_REALS, "", "0.5", 0, 1, NULL, "levels", SCORIA_DECIDES_UQ},
    {"uq_words", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL, "words of a file", SCORIA_DECIDES_UQ},
    {"uq_texts", SCORIA_KEY_TEXTS, "", NULL, 0, 0, NULL, "texts of a file", SCORIA_DECIDES_UQ},
    {"run_title", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL, "a text", SCORIA_DECIDES_NOTHING},
    {"import_fields", SCORIA_KEY_ENTRIES, "", NULL, 0, 0, NULL, "entries", SCORIA_DECIDES_IMPORT},
    {"import_x", SCORIA_KEY_ENTRY, "", NULL, 0, 0, NULL, "an entry", SCORIA_DECIDES_IMPORT},
    {"strict", SCORIA_KEY_BOOL, "", "false", 0, 0, NULL, "a key without section", SCORIA_DECIDES_NOTHING},
    {.name = NULL},
};
static const ScoriaKey *const tables[] = {keys, NULL};

#define ALL UINT_MAX

static const ScoriaKey renewed[] = {
    {"train_wait", SCORIA_KEY_INT, "", NULL, 0, 9, SCORIA_FORMERLY("3"), "a count", SCORIA_DECIDES_WEIGHTS},
    {"draw_wait", SCORIA_KEY_INT, "", NULL, 0, 9, SCORIA_FORMERLY("3"), "another", SCORIA_DECIDES_WEIGHTS},
    {"draw_kind", SCORIA_KEY_STRING, "", NULL, 0, 0, SCORIA_FORMERLY("old"), "a text", SCORIA_DECIDES_WEIGHTS},
    {.name = NULL},
};
static const ScoriaKey *const alone[] = {renewed, NULL};

/* A file made with a choice that is no longer one is read: it differs, and is refused where its row is asked for. */
static void a_former_choice_is_a_difference(void **state)
{
  static const struct {
    const char *name;
  } rows[] = {{"se"}, {"matern12"}, {"matern32"}, {NULL}};
  const char *kernel;
  char difference[256];
  ScoriaDeck deck, stored;
  int row;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, "", tables, &deck));
  CHECK(ScoriaDeckDifference(deck, "porosity: {kernel: square_2}", ALL, sizeof difference, difference));
  assert_string_equal(difference, "porosity_kernel is se here and square_2 there");
  CHECK(ScoriaDeckTake(deck, "porosity: {kernel: square_2}", ALL, &stored));
  CHECK(ScoriaDeckString(stored, "porosity_kernel", &kernel));
  assert_string_equal(kernel, "square_2");
  assert_true(ScoriaDeckRow(stored, "porosity_kernel", rows, sizeof *rows, &row));
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "expected one of: se matern12 matern32"));
  ScoriaFailureReset();
  CHECK(ScoriaDeckDestroy(&stored));
  assert_true(ScoriaDeckTake(deck, "porosity: {kernel: 'not a word'}", ALL, &stored));
  assert_non_null(strstr(ScoriaFailureLine(), "stored deck: porosity: kernel: found \"not a word\""));
  ScoriaFailureReset();
  CHECK(ScoriaDeckDestroy(&deck));
}

/* A default that has changed from 3: decks stored with that count as not set, where the user sets nothing, but those
 * that say that it was set. */
static void a_former_default_is_no_difference(void **state)
{
  static const struct {
    const char *here, *there, *difference;
  } known[] = {{"", "train: {wait: 3}\n", ""},
               {"", "train: {wait: 4}\n", "train_wait is not set here and 4 there"},
               {"", "train:\n  wait: 3 # set\n", "train_wait is not set here and 3 there"},
               {"train: {wait: 3}\n", "train:\n  wait: 3 # set\n", ""},
               {"", "train:\n  wait: 3\ndraw:\n  wait: 3 # set\n", "draw_wait is not set here and 3 there"},
               {"", "train:\n  wait: 3 # set\ndraw:\n  wait: 3\n", "train_wait is not set here and 3 there"},
               {"", "draw:\n  kind: 'old'\n", ""},
               {"", "draw:\n  kind: 'old' # set\n", "draw_kind is not set here and old there"},
               {"", "", ""},
               {"train: {wait: 5}\n", "train: {wait: 3}\n", "train_wait is 5 here and 3 there"},
               {"train: {wait: 3}\n", "", "train_wait is 3 here and not set there"}};
  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    char difference[256];
    ScoriaDeck deck;
    CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, known[i].here, alone, &deck));
    CHECK(ScoriaDeckDifference(deck, known[i].there, ALL, sizeof difference, difference));
    assert_string_equal(difference, known[i].difference);
    if (*known[i].here) { /* as it is stored now, it is not taken for one in which nothing was set */
      const char *stored;
      ScoriaDeck bare;
      CHECK(ScoriaDeckText(deck, &stored));
      CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, "", alone, &bare));
      CHECK(ScoriaDeckDifference(bare, stored, ALL, sizeof difference, difference));
      assert_non_null(strstr(difference, "train_wait is not set here and "));
      CHECK(ScoriaDeckDestroy(&bare));
    }
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

static void of_many_differences_the_first_are_named(void **state)
{
  char difference[512];
  ScoriaDeck deck;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, "", tables, &deck));
  CHECK(ScoriaDeckDifference(deck,
                             "porosity: {sigma: 2, kernel: matern12}\ntrain: {steps: 9, shuffle: false}\n"
                             "uq: {quantiles: [0.1]}\nrun: {title: x}\n",
                             ALL, sizeof difference, difference));
  assert_string_equal(difference,
                      "porosity_sigma is 1.5 here and 2 there, porosity_kernel is se here and matern12 there, "
                      "train_steps is 100 here and 9 there, train_shuffle is true here and false there, "
                      "and 2 more");
  CHECK(ScoriaDeckDestroy(&deck));
}

/* Rows of a choice, in another order than its words. */
static const struct {
  const char *name;
  int number;
} kernels[] = {{"matern12", 1}, {"se", 0}, {"matern32", 3}, {NULL, 0}};

static void write_deck(const char *text)
{
  FILE *out = fopen("test_deck.yaml", "w");
  assert_non_null(out);
  fputs(text, out);
  fclose(out);
}

/* Reads a deck file with the options database empty but for `option`. */
static PetscErrorCode read_deck(const char *text, const char *option, ScoriaDeck *deck)
{
  write_deck(text);
  *deck = NULL;
  ScoriaFailureReset();
  CHECK(PetscOptionsClear(NULL));
  if (option) CHECK(PetscOptionsInsertString(NULL, option));
  return ScoriaDeckCreate(PETSC_COMM_WORLD, "test_deck.yaml", tables, deck);
}

static void refuse(const char *text, const char *option, const char *part1, const char *part2)
{
  ScoriaDeck deck;
  assert_int_not_equal(read_deck(text, option, &deck), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  if (!strstr(ScoriaFailureLine(), part1) || !strstr(ScoriaFailureLine(), part2))
    fail_msg("found \"%s\", expected \"%s\" and \"%s\"", ScoriaFailureLine(), part1, part2);
}

static const char *const members[] = {"path", "order", "scale", NULL};

/* A mapping says what no list of words can: names with blanks, commas, brackets, quotes. */
static void entries_come_in_two_forms(void **state)
{
  ScoriaDeck deck, again;
  ScoriaEntries e;
  const char *text;
  (void)state;
  CHECK(read_deck("import:\n  fields:\n    c: {path: '/c, \"e\" [mol.m-3]', order: [x, row], scale: ~}\n    phi: /phi\n"
                  "  x: {path: '/x [um]', scale: 1e-6}\n",
                  NULL, &deck));
  CHECK(ScoriaDeckText(deck, &text));
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &again)); /* the resolved deck says the same */
  for (int i = 0; i < 2; i++) {
    CHECK(ScoriaDeckEntries(i ? again : deck, "import_fields", members, &e));
    assert_int_equal(entries_count(e), 2);
    assert_string_equal(entries_name(e, 0), "c");
    assert_string_equal(entries_value(e, 0, "path"), "/c, \"e\" [mol.m-3]");
    assert_string_equal(entries_value(e, 0, "order"), "x,row");
    assert_null(entries_value(e, 0, "scale")); /* a null is not set */
    assert_string_equal(entries_name(e, 1), "phi");
    assert_string_equal(entries_value(e, 1, "path"), "/phi");
    CHECK(ScoriaEntriesDestroy(&e));
    CHECK(ScoriaDeckEntries(i ? again : deck, "import_x", members, &e));
    assert_string_equal(entries_value(e, 0, "path"), "/x [um]");
    assert_string_equal(entries_value(e, 0, "scale"), "1e-6");
    CHECK(ScoriaEntriesDestroy(&e));
  }
  CHECK(ScoriaDeckDestroy(&again));
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(read_deck("import:\n  fields:\n    c: &c {path: /c, scale: 2}\n    d: {<<: *c, path: /d}\n", NULL, &deck));
  CHECK(ScoriaDeckEntries(deck, "import_fields", members, &e)); /* anchors and merges */
  assert_string_equal(entries_value(e, 1, "path"), "/d");
  assert_string_equal(entries_value(e, 1, "scale"), "2");
  CHECK(ScoriaEntriesDestroy(&e));
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(read_deck("import: {fields: [c=/a, d=/b]}\n", "-import_x /x", &deck));
  CHECK(ScoriaDeckEntries(deck, "import_fields", members, &e));
  assert_int_equal(entries_count(e), 2);
  assert_string_equal(entries_value(e, 1, "path"), "/b");
  CHECK(ScoriaEntriesDestroy(&e));
  CHECK(ScoriaDeckEntries(deck, "import_x", members, &e));
  assert_string_equal(entries_value(e, 0, "path"), "/x");
  CHECK(ScoriaEntriesDestroy(&e));
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(read_deck("import:\n  fields: [\"c=/an array, [mol.m-3]\", d=/b, 'e=/\"e\" {1}']\n", NULL, &deck));
  CHECK(ScoriaDeckText(deck, &text));
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &again));
  CHECK(ScoriaDeckEntries(again, "import_fields", members, &e)); /* quotes in a list keep a name together */
  assert_int_equal(entries_count(e), 3);
  assert_string_equal(entries_name(e, 0), "c");
  assert_string_equal(entries_value(e, 0, "path"), "/an array, [mol.m-3]");
  assert_string_equal(entries_value(e, 1, "path"), "/b");
  assert_string_equal(entries_value(e, 2, "path"), "/\"e\" {1}");
  CHECK(ScoriaEntriesDestroy(&e));
  CHECK(ScoriaDeckDestroy(&again));
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(read_deck("import: {fields: {c: {paths: /a}}}\n", NULL, &deck));
  assert_int_not_equal(ScoriaDeckEntries(deck, "import_fields", members, &e), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "c: found \"paths\", expected one of: path, order, scale"));
  CHECK(ScoriaDeckDestroy(&deck));
  refuse("import: {fields: {c: {path: {a: {b: c}}}}}\n", NULL, "import_fields", "expected a mapping of names");
  refuse("import:\n  x: {path: /x [um]}\n", NULL, "test_deck.yaml:2: not valid YAML", "expected");
  refuse("run: {title: a}\n", "-import_fields {c:", "import: fields", "a mapping");
  refuse("run: {title: {a: b}}\n", NULL, "unknown key", "title_a");
}

static void values_come_from_command_line_then_deck_then_default(void **state)
{
  ScoriaDeck deck;
  double sigma   = 0, range[2], q[4];
  PetscInt steps = 0, n = 0, cells[3];
  int kernel = -1;
  bool matern12, matern32;
  bool shuffle      = true, set;
  const char *title = NULL;
  (void)state;
  CHECK(read_deck(
      "train: {steps: 2e3, shuffle: no}\nporosity:\n  sigma: 0.25\n  kernel: matern32\nconditions:\n  U0: [0.1, 0.2]\n"
      "ensemble: {cells: [16, 8]}\nuq: {quantiles: [.1, .9]}\nrun: {title: 'it''s: #1'}\n",
      "-porosity_sigma 0.5", &deck));
  CHECK(ScoriaDeckReal(deck, "porosity_sigma", &sigma));
  CHECK(ScoriaDeckInt(deck, "train_steps", &steps));
  CHECK(ScoriaDeckBool(deck, "train_shuffle", &shuffle));
  CHECK(ScoriaDeckRange(deck, "conditions_U0", range));
  CHECK(ScoriaDeckInts(deck, "ensemble_cells", 3, &n, cells));
  CHECK(ScoriaDeckRow(deck, "porosity_kernel", kernels, sizeof *kernels, &kernel));
  CHECK(ScoriaDeckIs(deck, "porosity_kernel", "matern12", &matern12));
  CHECK(ScoriaDeckIs(deck, "porosity_kernel", "matern32", &matern32));
  assert_true(matern32 && !matern12);
  CHECK(ScoriaDeckString(deck, "run_title", &title));
  CHECK(ScoriaDeckHas(deck, "strict", &set));
  assert_true(sigma == 0.5 && steps == 2000 && !shuffle && range[0] == 0.1 && range[1] == 0.2 && set);
  assert_true(n == 2 && cells[0] == 16 && cells[1] == 8 && kernels[kernel].number == 3);
  assert_string_equal(title, "it's: #1");
  CHECK(ScoriaDeckReals(deck, "uq_quantiles", 4, &n, q));
  assert_true(n == 2 && q[0] == 0.1 && q[1] == 0.9);
  CHECK(ScoriaDeckDestroy(&deck));
}

static void resolved_deck_reads_back_the_same(void **state)
{
  ScoriaDeck deck, again;
  const char *text, *twice;
  char difference[256];
  char little[12];
  PetscInt steps;
  (void)state;
  const char *words;
  CHECK(read_deck(
      "conditions: {U0: [0.1, 0.3333333333333333]}\nrun: {title: \"a 'b' # c\"}\nuq: {words: ['a}', \"b'c\", 'd: #e', "
      "a_path_that_is_longer_than_any_number_is_when_spelt_in_full_with_all_its_digits]}\n",
      NULL, &deck));
  CHECK(ScoriaDeckString(deck, "uq_words", &words));
  assert_string_equal(words,
                      "a},b'c,d:,#e,a_path_that_is_longer_than_any_number_is_when_spelt_in_full_with_all_its_digits");
  CHECK(ScoriaDeckText(deck, &text));
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &again));
  CHECK(ScoriaDeckText(again, &twice));
  assert_string_equal(text, twice);
  CHECK(ScoriaDeckDifference(deck, text, ALL, sizeof difference, difference));
  assert_string_equal(difference, "");
  CHECK(ScoriaDeckDifference(deck, "porosity: {sigma: 1.50}", SCORIA_DECIDES_SIZE, sizeof difference, difference));
  assert_string_equal(difference, "");
  CHECK(ScoriaDeckDifference(deck, "porosity: {sigma: 2}", SCORIA_DECIDES_SIZE, sizeof difference, difference));
  assert_string_equal(difference, "porosity_sigma is 1.5 here and 2 there");
  CHECK(ScoriaDeckDifference(deck, "porosity: {sigma: 2, kernel: matern12}", ALL, sizeof difference, difference));
  assert_non_null(
      strstr(difference, "porosity_sigma is 1.5 here and 2 there, porosity_kernel is se here and matern12 there"));
  CHECK(ScoriaDeckDifference(deck, "porosity: {sigma: 2}", SCORIA_DECIDES_WEIGHTS, sizeof difference, difference));
  assert_string_equal(difference, "");
  CHECK(ScoriaDeckDifference(deck, "porosity: {sigma: 2}", SCORIA_DECIDES_SIZE, sizeof little, little));
  assert_string_equal(little, "porosity_si");
  CHECK(ScoriaDeckStoredInt(deck, "train: {steps: 7}", "train_steps", &steps));
  assert_int_equal(steps, 7);
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(ScoriaDeckDestroy(&again));
}

static void bad_decks_are_refused_by_name_and_line(void **state)
{
  (void)state;
  refuse("porosity:\n  sigma: [1, 2\n", NULL, "test_deck.yaml:", "not valid YAML");
  refuse("porosity:\n  sigmq: 1\n", NULL, "test_deck.yaml:2", "did you mean \"porosity: sigma\"");
  refuse("train:\n  steps: 1.5\n", NULL, "test_deck.yaml:2", "found \"1.5\", expected an integer");
  refuse("train:\n  steps: 0\n", NULL, "train: steps", "from 1 to 1000000000");
  refuse("porosity:\n  sigma: abc\n", NULL, "found \"abc\"", "a number");
  refuse("porosity:\n  sigma: nan\n", NULL, "found \"nan\"", "a number");
  refuse("porosity:\n  kernel: gauss\n", NULL, "found \"gauss\"", "se matern12 matern32");
  refuse("porosity:\n  kernel: s\n", NULL, "found \"s\"", "one of");
  refuse("conditions:\n  U0: [0.2, 0.2]\n", NULL, "found \"0.2,0.2\"", "low < high");
  refuse("conditions:\n  U0: 0.2\n", NULL, "found \"0.2\"", "low < high");
  refuse("train:\n  steps: 5\n  steps: 6\n", NULL, "test_deck.yaml:3", "set twice");
  refuse("train: {steps: 5}\n", "-train_stesp 7", "command line", "did you mean \"-train_steps\"");
  refuse("train: {steps: 5}\n", "-porosity_scale 1", "command line", "did you mean \"-porosity_sigma\""); /* its help */
  refuse("", "-uq_file x", "command line", "did you mean \"-uq_words\" or \"-uq_texts\"?");               /* of both */
  refuse("train:\n\tsteps: 5\n", NULL, "test_deck.yaml:2", "found a tab before the first word, expected blanks");
  refuse("train:\n  steps: 5\n \tshuffle: 1\n", NULL, "test_deck.yaml:3", "a tab");
  refuse("train: {steps: 5}\n", "-train_steps many", "command line", "found \"many\"");
  refuse("uq: {words: [\"a\\tb\"]}\n", NULL, "uq: words", "a list of words");
  refuse("just words\n", NULL, "test_deck.yaml:1", "not a deck");
  refuse("- a\n- b\n", NULL, "test_deck.yaml:1", "not a deck");
}

/* Anchors and merge keys are expanded wherever they stand, also in lists. */
static void aliases_stand_for_what_they_name(void **state)
{
  ScoriaDeck deck;
  double sigma = 0;
  PetscInt n = 0, cells[3], steps = 0;
  int kernel = -1;
  (void)state;
  CHECK(read_deck("ensemble: {cells: [&n 8, *n, *n]}\ntrain: {steps: *n}\n", NULL, &deck));
  CHECK(ScoriaDeckInts(deck, "ensemble_cells", 3, &n, cells));
  CHECK(ScoriaDeckInt(deck, "train_steps", &steps));
  assert_true(n == 3 && cells[0] == 8 && cells[1] == 8 && cells[2] == 8 && steps == 8);
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(read_deck("uq: {quantiles: &q [.1, .9]}\nensemble: {cells: &c [4, 6]}\n---\n"
                  "porosity: &base {sigma: 0.5, kernel: matern32}\n",
                  NULL, &deck));
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(
      read_deck("porosity:\n  <<: [&one {sigma: 0.5, kernel: matern12}, {kernel: se}]\n  sigma: 0.25\n", NULL, &deck));
  CHECK(ScoriaDeckReal(deck, "porosity_sigma", &sigma));
  CHECK(ScoriaDeckRow(deck, "porosity_kernel", kernels, sizeof *kernels, &kernel));
  assert_true(sigma == 0.25 && kernels[kernel].number == 1);
  CHECK(ScoriaDeckDestroy(&deck));
  refuse("train: {steps: *n}\n", NULL, "test_deck.yaml:1", "undefined alias");
  refuse("ensemble: &e {cells: *e}\n", NULL, "test_deck.yaml:1", "too deep");
  refuse("ensemble: {cells: &e [*e, *e]}\n", NULL, "test_deck.yaml:1", "too deep");
  refuse("porosity: {<<: 3}\n", NULL, "test_deck.yaml:1", "no mapping");
  refuse("uq: {words: [&a ['', '', '', '', '', '', '', '', '', ''], &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a], "
         "&c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b], &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c], "
         "[*d, *d, *d, *d, *d, *d, *d, *d, *d, *d], [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]]}\n",
         NULL, "test_deck.yaml:1", "more than 100000 values");
}

/* An empty value, ~ and null all mean: not set; a section without keys is nothing. */
static void an_empty_value_sets_nothing(void **state)
{
  static const char *const nulls[] = {"", "~", "null", "NULL", "!!null", "# 2"};
  (void)state;
  for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
    char text[256];
    ScoriaDeck deck;
    bool shuffle = false, title, range;
    double sigma = 0;
    snprintf(text, sizeof text,
             "train:\n  shuffle: %s\nporosity:\n  sigma: %s\nconditions:\n  U0: %s\nrun:\n  title: %s\nuq: %s\n"
             "petsc: %s\nstrict: %s\n",
             nulls[i], nulls[i], nulls[i], nulls[i], nulls[i], nulls[i], nulls[i]);
    CHECK(read_deck(text, NULL, &deck));
    CHECK(ScoriaDeckBool(deck, "train_shuffle", &shuffle));
    CHECK(ScoriaDeckReal(deck, "porosity_sigma", &sigma));
    CHECK(ScoriaDeckHas(deck, "conditions_U0", &range));
    CHECK(ScoriaDeckHas(deck, "run_title", &title));
    assert_true(shuffle && sigma == 1.5 && !range && !title); /* the defaults, where there are any */
    CHECK(ScoriaDeckDestroy(&deck));
  }
  ScoriaDeck deck;
  const char *title = NULL;
  CHECK(read_deck("run: {title: 'null'}\n", NULL, &deck)); /* a word */
  CHECK(ScoriaDeckString(deck, "run_title", &title));
  assert_string_equal(title, "null");
  CHECK(ScoriaDeckDestroy(&deck));
  refuse("porosityy:\n", NULL, "test_deck.yaml:1", "unknown key \"porosityy\"");
  refuse("porosity:\n  sigmq:\n", NULL, "test_deck.yaml:2", "did you mean \"porosity: sigma\"");
  refuse("porosity: 1\n", NULL, "test_deck.yaml:1", "unknown key \"porosity\"");
  refuse("uq: {quantiles: [0.1, ~]}\n", NULL, "test_deck.yaml:1", "an empty value inside a list");
  refuse("train: {shuffle: ''}\n", NULL, "train: shuffle: found \"\"", "true or false");
}

/* The command line wins by unsetting a deck's key, too: the default is then there again, where there is one. */
static void an_option_may_unset_a_key(void **state)
{
  static const char *const options[] = {"-porosity_sigma null -conditions_U0 null -run_title null",
                                        "-porosity_sigma ~ -conditions_U0 ~ -run_title ~"};
  (void)state;
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    ScoriaDeck deck;
    bool range = true, title = true;
    double sigma = 0;
    CHECK(read_deck("porosity: {sigma: 1}\nconditions: {U0: [1, 2]}\nrun: {title: mine}\n", options[i], &deck));
    CHECK(ScoriaDeckReal(deck, "porosity_sigma", &sigma));
    CHECK(ScoriaDeckHas(deck, "conditions_U0", &range));
    CHECK(ScoriaDeckHas(deck, "run_title", &title));
    assert_true(sigma == 1.5 && !range && !title);
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

static void a_path_may_begin_at_home(void **state)
{
  ScoriaDeck deck;
  const char *title = NULL;
  (void)state;
  assert_int_equal(setenv("HOME", "/home/of/mine", 1), 0);
  CHECK(read_deck("run: {title: ~/data.h5}\n", NULL, &deck));
  CHECK(ScoriaDeckString(deck, "run_title", &title));
  assert_string_equal(title, "/home/of/mine/data.h5");
  CHECK(ScoriaDeckDestroy(&deck));
  refuse("", "-run_title ~other/x", "run: title: found \"~other/x\"", "expected ~/");
}

static void a_missing_deck_is_named(void **state)
{
  ScoriaDeck deck;
  (void)state;
  ScoriaFailureReset();
  assert_int_not_equal(ScoriaDeckCreate(PETSC_COMM_WORLD, "no/such.yaml", tables, &deck), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "no/such.yaml"));
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
}

static void petsc_options_pass(void **state)
{
  ScoriaDeck deck;
  PetscBool set;
  (void)state;
  CHECK(read_deck("petsc: {snes_rtol: 1e-9}\n", "-ksp_type preonly", &deck));
  CHECK(PetscOptionsHasName(NULL, NULL, "-snes_rtol", &set));
  assert_true(set);
  CHECK(ScoriaDeckDestroy(&deck));
}

/* Two problems may have a condition of one name. */
static void key_in_two_tables_is_one_key(void **state)
{
  static const ScoriaKey one[]   = {{"part_T", SCORIA_KEY_REAL, "K", "1", 0, 9, NULL, "first", SCORIA_DECIDES_NOTHING},
                                    {.name = NULL}};
  static const ScoriaKey other[] = {{"part_T", SCORIA_KEY_REAL, "K", "2", 0, 9, NULL, "second", SCORIA_DECIDES_NOTHING},
                                    {.name = NULL}};
  static const ScoriaKey *const both[] = {one, other, NULL};
  ScoriaDeck deck, again;
  const char *text;
  double value = 0;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, "part: {T: 3}\n", both, &deck));
  CHECK(ScoriaDeckText(deck, &text));
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, both, &again)); /* said once */
  CHECK(ScoriaDeckReal(again, "part_T", &value));
  assert_true(value == 3);
  CHECK(ScoriaDeckDestroy(&again));
  CHECK(ScoriaDeckDestroy(&deck));
}

/* Blanks and brackets are part of a text, commas inside brackets too; the resolved deck gives the same list back. */
static void lists_of_texts(void **state)
{
  static const char *const expected[] = {"drop [V] = phi[0] - phi[L]", "min(a, b) < 3", "c > 2"};
  static const char *const decks[]    = {"uq:\n  texts: [\"drop [V] = phi[0] - phi[L]\", 'min(a, b) < 3', c > 2]\n",
                                         "uq:\n  texts:\n  - drop [V] = phi[0] - phi[L]\n"
                                            "  - min(a, b) < 3\n  - '  c > 2 '\n"};
  (void)state;
  for (int i = 0; i < 2; i++) {
    ScoriaDeck deck, again;
    const char *list = NULL, *text, *read;
    char one[64];
    CHECK(read_deck(decks[i], NULL, &deck));
    CHECK(ScoriaDeckString(deck, "uq_texts", &list));
    CHECK(ScoriaDeckText(deck, &text));
    CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &again));
    CHECK(ScoriaDeckString(again, "uq_texts", &read));
    assert_string_equal(read, list);
    for (int k = 0; k < 3; k++) {
      assert_true(list_next_text(&list, sizeof one, one));
      assert_string_equal(one, expected[k]);
    }
    assert_false(list_next_text(&list, sizeof one, one));
    CHECK(ScoriaDeckDestroy(&again));
    CHECK(ScoriaDeckDestroy(&deck));
  }
  refuse("uq:\n  words: [a]\n", "-uq_texts ,a", "uq: texts", "a list of texts");
}

static void brackets_close_by_their_own_kind(void **state)
{
  static const struct {
    const char *text;
    bool match;
  } of[] = {{"max(c[0], (a))", true}, {"max(c]", false}, {"a)(b", false}, {"([)]", false}, {"(", false}, {"", true}};
  const char *text = "f(a, b[1,2]), c";
  (void)state;
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) assert_int_equal(text_brackets(of[i].text), of[i].match);
  assert_ptr_equal(text_outside(text, text + strlen(text), ","), text + 12);
  assert_ptr_equal(text_closing(text + 1, text + strlen(text)), text + 11);
  assert_null(text_closing(text + 1, text + 11));
  assert_null(text_closing("(a]", "(a]" + 3));
}

static void a_name_is_like_another(void **state)
{
  static const char *const names[] = {"phi", "min_phi", "F_right"};
  (void)state;
  assert_string_equal(text_nearest("phl", 3, names), "phi");
  assert_string_equal(text_nearest("f_rihgt", 3, names), "F_right");
  assert_null(text_nearest("temperature", 3, names));
}

/* Also what is said to be as it would be anyway; a stored deck says everything, and nobody has given it. */
static void given_is_what_the_user_says(void **state)
{
  ScoriaDeck deck, again;
  const char *text;
  bool given[3], changed;
  (void)state;
  CHECK(read_deck("train:\n  steps: 100\n", "-porosity_sigma 3", &deck));
  CHECK(ScoriaDeckGiven(deck, "train_steps", &given[0]));
  CHECK(ScoriaDeckGiven(deck, "porosity_sigma", &given[1]));
  CHECK(ScoriaDeckGiven(deck, "train_shuffle", &given[2]));
  CHECK(ScoriaDeckChanged(deck, "train_steps", &changed));
  assert_true(given[0] && given[1] && !given[2] && !changed);
  CHECK(ScoriaDeckText(deck, &text));
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &again));
  CHECK(ScoriaDeckGiven(again, "porosity_sigma", &given[1]));
  assert_false(given[1]);
  CHECK(ScoriaDeckDestroy(&again));
  CHECK(ScoriaDeckDestroy(&deck));
}

static const yaml_node_t *section_of(yaml_document_t *document, const char *name, int *times)
{
  const yaml_node_t *root = yaml_document_get_root_node(document), *found = NULL;
  *times = 0;
  for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
    const yaml_node_t *key = yaml_document_get_node(document, pair->key);
    if (strcmp((const char *)key->data.scalar.value, name)) continue;
    found = yaml_document_get_node(document, pair->value);
    ++*times;
  }
  return found;
}

/* Of a section that stands twice, readers of YAML keep the last, or refuse the text. */
static void a_section_of_several_tables_stands_once(void **state)
{
  static const ScoriaKey late[]        = {{"train_late", SCORIA_KEY_INT, "", "1", 0, 9, NULL, "", SCORIA_DECIDES_STEPS},
                                          {"porosity_late", SCORIA_KEY_INT, "", "2", 0, 9, NULL, "", SCORIA_DECIDES_LAW},
                                          {"trainer_late", SCORIA_KEY_INT, "", "3", 0, 9, NULL, "", SCORIA_DECIDES_LAW},
                                          {.name = NULL}};
  static const ScoriaKey *const both[] = {keys, late, NULL};
  static const struct {
    const char *section;
    long keys;
  } expected[] = {{"train", 3}, {"porosity", 3}, {"trainer", 1}, {"ensemble", 1}};
  ScoriaDeck deck, again;
  yaml_document_t document;
  yaml_parser_t parser;
  const char *text;
  PetscInt value;
  (void)state;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, "train: {late: 7}\n", both, &deck));
  CHECK(ScoriaDeckText(deck, &text));
  assert_true(yaml_parser_initialize(&parser));
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
  assert_true(yaml_parser_load(&parser, &document));
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    int times;
    const yaml_node_t *section = section_of(&document, expected[i].section, &times);
    assert_int_equal(times, 1);
    assert_int_equal(section->data.mapping.pairs.top - section->data.mapping.pairs.start, expected[i].keys);
  }
  yaml_document_delete(&document);
  yaml_parser_delete(&parser);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, both, &again));
  CHECK(ScoriaDeckInt(again, "train_late", &value));
  assert_int_equal(value, 7);
  CHECK(ScoriaDeckDestroy(&again));
  CHECK(ScoriaDeckDestroy(&deck));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_former_default_is_no_difference),
      cmocka_unit_test(a_former_choice_is_a_difference),
      cmocka_unit_test(of_many_differences_the_first_are_named),
      cmocka_unit_test(lists_of_texts),
      cmocka_unit_test(a_section_of_several_tables_stands_once),
      cmocka_unit_test(brackets_close_by_their_own_kind),
      cmocka_unit_test(a_name_is_like_another),
      cmocka_unit_test(given_is_what_the_user_says),
      cmocka_unit_test(entries_come_in_two_forms),
      cmocka_unit_test(values_come_from_command_line_then_deck_then_default),
      cmocka_unit_test(resolved_deck_reads_back_the_same),
      cmocka_unit_test(bad_decks_are_refused_by_name_and_line),
      cmocka_unit_test(aliases_stand_for_what_they_name),
      cmocka_unit_test(an_empty_value_sets_nothing),
      cmocka_unit_test(an_option_may_unset_a_key),
      cmocka_unit_test(a_path_may_begin_at_home),
      cmocka_unit_test(a_missing_deck_is_named),
      cmocka_unit_test(petsc_options_pass),
      cmocka_unit_test(key_in_two_tables_is_one_key),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
