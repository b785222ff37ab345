/* ranks: 2 3
 * Random porosity in two and three dimensions: moments and covariance for every kernel, periodic sides, the same draw
 * on any group, and what a deck may not ask for. */
#include "verify/verify_electrode.h"
#include "unit/covariance_kernels.h"

#define LENGTH 1e-4
#define MAX_CELLS 1024

/* Small, uneven, and neither cubic nor isotropic; correlations of a fifth of a period to more than one. */
static const double ell = 0.2 * LENGTH, anisotropy[3] = {1, 0.7, 1.9};
static const ScoriaGrid plane  = {2, {20, 9, 1}, {LENGTH, 0.6 * LENGTH, 0}},
                        volume = {3, {12, 6, 7}, {LENGTH, 0.6 * LENGTH, 0.3 * LENGTH}};

static void deck_from(const char *yaml, ScoriaDeck *deck)
{
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, yaml, electrode_tables, deck));
}

static void porosity_from(MPI_Comm group, const char *kernel, const ScoriaGrid *grid, ScoriaPorosity *por)
{
  char text[256];
  ScoriaDeck deck;
  snprintf(text, sizeof text, "run: {seed: 5}\nporosity: {min: 0.15, max: 0.45, kernel: %s, anisotropy: [%g, %g]}\n",
           kernel, anisotropy[1], anisotropy[2]);
  deck_from(text, &deck);
  CHECK(ScoriaPorosityCreate(deck, group, grid, por));
  CHECK(ScoriaDeckDestroy(&deck));
}

static int cells_of(const ScoriaGrid *grid)
{
  return grid->n[0] * grid->n[1] * grid->n[2];
}

/* g of eps, for min 0.15, max 0.45. */
static void draw_gaussian(ScoriaPorosity por, const ScoriaGrid *grid, uint64_t id, double g[])
{
  CHECK(ScoriaPorosityDraw(por, ell, id, g));
  for (int k = 0; k < cells_of(grid); k++) g[k] = log((g[k] - 0.15) / (0.45 - g[k]));
}

/* The covariance at a lag in cells.  Images to 25 periods each way: 19 correlation lengths at the least, beyond which
 * even a Matern 1/2 kernel has nothing that sampling could see. */
static double exact(double (*covariance)(double), const ScoriaGrid *grid, const int lag[3])
{
  enum { IMAGES = 25 };
  double sum[2] = {0, 0}; /* at the lag, at 0 */
  for (int at = 0; at < 2; at++)
    for (int i = -IMAGES; i <= IMAGES; i++)
      for (int j = grid->dim == 3 ? -IMAGES : 0; j <= (grid->dim == 3 ? IMAGES : 0); j++) {
        const int image[3] = {0, i, j};
        double r2          = 0;
        for (int axis = 0; axis < grid->dim; axis++) {
          const double cells = (at ? 0 : lag[axis]) + image[axis] * grid->n[axis];
          r2 += pow(cells * grid->length[axis] / (grid->n[axis] * anisotropy[axis] * ell), 2);
        }
        sum[at] += covariance(sqrt(r2));
      }
  return sum[0] / sum[1];
}

/* Mean over the grid of g(cell) g(cell + lag), round the periodic sides; along x inside. */
static double pooled(const ScoriaGrid *grid, const double g[], const int lag[3])
{
  const int nx = grid->n[0], ny = grid->n[1], nz = grid->n[2];
  double sum = 0;
  for (int z = 0; z < nz; z++)
    for (int y = 0; y < ny; y++)
      for (int x = 0; x + lag[0] < nx; x++)
        sum += g[(z * ny + y) * nx + x] * g[((z + lag[2]) % nz * ny + (y + lag[1]) % ny) * nx + x + lag[0]];
  return sum / ((nx - lag[0]) * ny * nz);
}

typedef struct {
  double sum, square;
  int n;
} Mean;

static void mean_add(Mean *m, double value)
{
  m->sum += value;
  m->square += value * value;
  m->n++;
}

/* Draws are independent, so that their spread says how far their mean may be off: five standard errors, which a hundred
 * checks exceed once in twenty thousand seeds.  And the error itself must be small enough to tell kernels apart. */
static void assert_mean(const Mean *m, double expected)
{
  const double mean = m->sum / m->n, error = sqrt((m->square / m->n - mean * mean) / m->n);
  assert_true(error < 0.025);
  assert_near(mean, expected, 5.0 * error);
}

static void check_moments(size_t kernel, const ScoriaGrid *grid)
{
  enum { DRAWS = 3000, LAGS = 10 };
  static const int lag[LAGS][3] = {{0, 0, 0}, {1, 0, 0}, {4, 0, 0}, {11, 0, 0}, {0, 1, 0},
                                   {0, 3, 0}, {0, 0, 1}, {0, 0, 3}, {2, 2, 0},  {3, 1, 2}};
  static double g[MAX_CELLS];
  Mean first = {0, 0, 0}, second[LAGS] = {{0, 0, 0}};
  ScoriaPorosity por;
  porosity_from(PETSC_COMM_SELF, kernels[kernel].name, grid, &por);
  for (int n = 0; n < DRAWS; n++) {
    double sum = 0;
    draw_gaussian(por, grid, (uint64_t)n, g);
    for (int k = 0; k < cells_of(grid); k++) sum += g[k];
    mean_add(&first, sum / cells_of(grid));
    for (int l = 0; l < LAGS; l++)
      if (!lag[l][2] || grid->dim == 3) mean_add(&second[l], pooled(grid, g, lag[l]));
  }
  CHECK(ScoriaPorosityDestroy(&por));
  assert_mean(&first, 0);
  for (int l = 0; l < LAGS; l++)
    if (second[l].n) assert_mean(&second[l], exact(kernels[kernel].covariance, grid, lag[l]));
}

/* The cases are dealt to the ranks: each draws alone. */
static void moments_are_the_kernels(void **state)
{
  int rank, size;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (size_t i = 0; i < 2 * KERNELS; i++)
    if ((int)i % size == rank) check_moments(i / 2, i % 2 ? &volume : &plane);
}

/* Cells at the two ends of y and z are neighbours, those at the two ends of x as far apart as they look. */
static void sides_are_periodic_but_for_x(void **state)
{
  enum { DRAWS = 4000 };
  static const int wrap[3][3] = {{11, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  static double g[MAX_CELLS];
  const int nx = volume.n[0], ny = volume.n[1], nz = volume.n[2];
  Mean across[3] = {{0, 0, 0}};
  ScoriaPorosity por;
  (void)state;
  porosity_from(PETSC_COMM_SELF, "matern32", &volume, &por);
  for (int n = 0; n < DRAWS; n++) {
    draw_gaussian(por, &volume, (uint64_t)n, g);
    mean_add(&across[0], g[0] * g[nx - 1]);
    mean_add(&across[1], g[0] * g[(ny - 1) * nx]);
    mean_add(&across[2], g[0] * g[(nz - 1) * ny * nx]);
  }
  CHECK(ScoriaPorosityDestroy(&por));
  for (int axis = 0; axis < 3; axis++) assert_mean(&across[axis], exact(matern32, &volume, wrap[axis]));
}

/* To the last bit: also where the last axis leaves the last rank short, or nothing. */
static void draws_do_not_depend_on_the_group(void **state)
{
  static const ScoriaGrid grids[] = {{1, {40, 1, 1}, {LENGTH, 0, 0}},
                                     {1, {4, 1, 1}, {LENGTH, 0, 0}},
                                     {2, {20, 9, 1}, {LENGTH, 0.6 * LENGTH, 0}},
                                     {2, {16, 4, 1}, {LENGTH, 0.3 * LENGTH, 0}},
                                     {3, {12, 6, 7}, {LENGTH, 0.6 * LENGTH, 0.3 * LENGTH}},
                                     {3, {9, 3, 4}, {LENGTH, 0.3 * LENGTH, 0.4 * LENGTH}}};
  static double whole[MAX_CELLS], own[MAX_CELLS];
  int rank, size;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (size_t i = 0; i < KERNELS * sizeof grids / sizeof *grids; i++) {
    const ScoriaGrid *grid = &grids[i / KERNELS];
    const int last = grid->n[grid->dim - 1], each = cells_of(grid) / last;
    int first, number;
    ScoriaPorosity alone, together;
    porosity_from(PETSC_COMM_SELF, kernels[i % KERNELS].name, grid, &alone);
    porosity_from(PETSC_COMM_WORLD, kernels[i % KERNELS].name, grid, &together);
    grid_slab(grid, rank, size, &first, &number);
    for (uint64_t id = 7; id < 10; id++) {
      CHECK(ScoriaPorosityDraw(alone, ell, id, whole));
      CHECK(ScoriaPorosityDraw(together, ell, id, own));
      assert_memory_equal(own, whole + first * each, (size_t)(number * each) * sizeof *own);
    }
    CHECK(ScoriaPorosityDestroy(&alone));
    CHECK(ScoriaPorosityDestroy(&together));
  }
}

/* Also when spectra have been evicted in between, and lengths of other padding drawn on the same buffers. */
static void draws_do_not_depend_on_order(void **state)
{
  enum { IDS = 4, LENGTHS = 7 };
  static double kept[LENGTHS][IDS][MAX_CELLS], eps[MAX_CELLS];
  const size_t bytes = (size_t)cells_of(&volume) * sizeof(double);
  ScoriaPorosity por;
  (void)state;
  porosity_from(PETSC_COMM_SELF, "matern52", &volume, &por);
  for (int l = 0; l < LENGTHS; l++)
    for (int n = 0; n < IDS; n++) CHECK(ScoriaPorosityDraw(por, 5e-6 * (l + 1), (uint64_t)n, kept[l][n]));
  for (int n = IDS - 1; n >= 0; n--)
    for (int l = 0; l < LENGTHS; l++) {
      CHECK(ScoriaPorosityDraw(por, 5e-6 * (l + 1), (uint64_t)n, eps));
      assert_memory_equal(eps, kept[l][n], bytes);
    }
  assert_memory_not_equal(kept[0][0], kept[0][1], bytes);
  assert_memory_not_equal(kept[0][0], kept[1][0], bytes);
  CHECK(ScoriaPorosityDraw(por, 5e-6, (uint64_t)1 << 32, eps));
  assert_memory_not_equal(eps, kept[0][0], bytes);
  CHECK(ScoriaPorosityDestroy(&por));
}

/* From one cell to a quarter of the thickness. */
static void every_useful_length_is_drawn(void **state)
{
  static const ScoriaGrid grids[] = {{2, {64, 16, 1}, {LENGTH, 0.25 * LENGTH, 0}},
                                     {3, {16, 8, 8}, {LENGTH, 0.5 * LENGTH, 0.5 * LENGTH}}};
  static double eps[MAX_CELLS];
  (void)state;
  for (size_t i = 0; i < 2 * KERNELS; i++) {
    const ScoriaGrid *grid = &grids[i % 2];
    ScoriaPorosity por;
    porosity_from(PETSC_COMM_SELF, kernels[i / 2].name, grid, &por);
    for (double cells = 1; cells <= grid->n[0] / 4.0; cells *= 2) {
      CHECK(ScoriaPorosityDraw(por, cells * LENGTH / grid->n[0], 1, eps));
      for (int k = 0; k < cells_of(grid); k++) assert_true(eps[k] > 0.15 && eps[k] < 0.45);
    }
    CHECK(ScoriaPorosityDestroy(&por));
  }
}

static void slabs_cover_the_last_axis(void **state)
{
  (void)state;
  for (int n = 3; n < 20; n++)
    for (int size = 1; size < 9; size++) {
      const ScoriaGrid grid = {3, {50, 60, n}, {1, 1, 1}};
      int next              = 0;
      for (int rank = 0; rank < size; rank++) {
        int first, number;
        grid_slab(&grid, rank, size, &first, &number);
        assert_int_equal(first, next);
        assert_true(number == (n + size - 1) / size || first + number == n);
        next += number;
      }
      assert_int_equal(next, n);
    }
}

static void grids_are_read(void **state)
{
  static const struct {
    const char *yaml;
    ScoriaGrid grid;
  } decks[] = {{"ensemble: {cells: [128]}\n", {1, {128, 1, 1}, {1, 1. / 128, 1. / 128}}},
               {"ensemble: {cells: [64, 32]}\n", {2, {64, 32, 1}, {1, 0.5, 1. / 64}}},
               {"ensemble: {cells: [64, 32, 16]}\n", {3, {64, 32, 16}, {1, 0.5, 0.25}}},
               {"ensemble: {cells: [64, 32, 16], lateral: [2, 3.5]}\n", {3, {64, 32, 16}, {1, 2, 3.5}}}};
  (void)state;
  for (size_t i = 0; i < sizeof decks / sizeof *decks; i++) {
    ScoriaDeck deck;
    ScoriaGrid grid;
    deck_from(decks[i].yaml, &deck);
    CHECK(ScoriaGridFromDeck(deck, 1.0, &grid));
    CHECK(ScoriaDeckDestroy(&deck));
    assert_int_equal(grid.dim, decks[i].grid.dim);
    for (int axis = 0; axis < 3; axis++) {
      assert_int_equal(grid.n[axis], decks[i].grid.n[axis]);
      assert_near(grid.length[axis], decks[i].grid.length[axis], 1e-15);
    }
  }
}

/* One line that starts with the key and says what was found and what is expected. */
static void bad_decks_are_refused(void **state)
{
  static const char *const cases[][2] = {
      {"ensemble: {cells: [8, 8, 8, 8]}", "ensemble_cells: found 4 numbers, expected [nx], [nx, ny] or [nx, ny, nz]"},
      {"ensemble: {cells: [3]}", "ensemble_cells: found 3 along x, expected at least 4 cells"},
      {"ensemble: {cells: [8, 2]}", "ensemble_cells: found 2 along y, expected at least 3 cells"},
      {"ensemble: {cells: [8, 8, 1]}", "ensemble_cells: found 1 along z, expected at least 3 cells"},
      {"ensemble: {cells: [8, 8, 8], lateral: [1e-4]}", "ensemble_lateral: found 1 numbers, expected 2"},
      {"ensemble: {cells: [8], lateral: [1e-4]}", "ensemble_lateral: found 1 numbers, expected 0"},
      {"ensemble: {cells: [8, 8, 8]}\nporosity: {anisotropy: [2]}", "porosity_anisotropy: found 1 number"},
      {"ensemble: {cells: [8, 8, 8]}\nporosity: {ell: 1e-3}",
       "porosity_ell: found 0.001 m, too long for kernel se along x: 8 cells on 0.0001 m"},
      {"ensemble: {cells: [8, 8]}\nporosity: {kernel: matern12}\nconditions: {ell: [1e-5, 8e-4]}",
       "porosity_ell: found 0.0008 m, too long for kernel matern12 along x"},
      {"ensemble: {cells: [8, 8, 8]}\nporosity: {ell: 1e-5, anisotropy: [1, 1000]}",
       "porosity_ell: found 1e-05 m, for kernel se and the period 0.0001 m along z (anisotropy 1000) allowed up to"}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ScoriaDeck deck;
    ScoriaGrid grid;
    ScoriaPorosity por;
    deck_from(cases[i][0], &deck);
    PetscErrorCode failed = ScoriaGridFromDeck(deck, LENGTH, &grid);
    if (!failed) failed = ScoriaPorosityCreate(deck, PETSC_COMM_WORLD, &grid, &por);
    assert_true(failed != 0);
    assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
    if (strncmp(ScoriaFailureLine(), cases[i][1], strlen(cases[i][1])))
      fail_msg("%s, expected %s", ScoriaFailureLine(), cases[i][1]);
    ScoriaFailureReset();
    CHECK(ScoriaDeckDestroy(&deck));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(moments_are_the_kernels),
                                     cmocka_unit_test(sides_are_periodic_but_for_x),
                                     cmocka_unit_test(draws_do_not_depend_on_the_group),
                                     cmocka_unit_test(draws_do_not_depend_on_order),
                                     cmocka_unit_test(every_useful_length_is_drawn),
                                     cmocka_unit_test(slabs_cover_the_last_axis),
                                     cmocka_unit_test(grids_are_read),
                                     cmocka_unit_test(bad_decks_are_refused)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
