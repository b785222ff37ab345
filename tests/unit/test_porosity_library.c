// ranks: 1 3
/* Crops of a measured structure: the same of every format and number of ranks, with the structure's own two-point
 * statistics, disjoint where they are to be, and refused where the structure is too small. */
#include "structure_files.h"
#include "physics/porosity.h"
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static void library_of(MPI_Comm group, const ScoriaGrid *grid, const char *keys, ScoriaPorosity *por)
{
  char text[512];
  ScoriaDeck deck;
  snprintf(text, sizeof text, "run: {seed: 3}\nporosity: {%s}\n", keys);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, electrode_tables, &deck));
  CHECK(ScoriaPorosityOfLibrary(deck, group, grid, por));
  CHECK(ScoriaDeckDestroy(&deck));
}

static void expect_refused(const ScoriaGrid *grid, const char *keys, const char *line)
{
  char text[512];
  ScoriaDeck deck;
  ScoriaPorosity por;
  snprintf(text, sizeof text, "porosity: {%s}\n", keys);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, electrode_tables, &deck));
  assert_true(ScoriaPorosityOfLibrary(deck, PETSC_COMM_SELF, grid, &por) != 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  if (!strstr(ScoriaFailureLine(), line)) fail_msg("found \"%s\", expected \"%s\"", ScoriaFailureLine(), line);
  ScoriaFailureReset();
  CHECK(ScoriaDeckDestroy(&deck));
}

#define GRAY "voxel: 1e-6, threshold: 128, window: 3e-6"
static const ScoriaGrid box = {3, {4, 2, 2}, {12e-6, 6e-6, 6e-6}};

/* ------------------------------------------------------------------------------------------------------- tests */

static void formats_agree(void **state)
{
  static const char *const files[] = {
      "file: scan.npy, " GRAY,
      "file: slices, " GRAY,
      "file: pages.tif, " GRAY,
      "file: scan.h5, array: /scan, axes: [x, z, y], " GRAY,
  };
  double first[16], eps[16];
  (void)state;
  for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
    ScoriaPorosity por;
    library_of(PETSC_COMM_SELF, &box, files[f], &por);
    for (uint64_t id = 0; id < 20; id++) {
      CHECK(ScoriaPorosityDraw(por, 0, id, eps));
      if (f == 0 && id == 7) memcpy(first, eps, sizeof eps);
      if (id == 7) assert_memory_equal(eps, first, sizeof eps);
    }
    CHECK(ScoriaPorosityDestroy(&por));
  }
}

/* Every cell of a draw is the mean of whole windows: found by counting voxels. */
static void cells_are_means_of_voxels(void **state)
{
  const ScoriaGrid grid = {3, {2, 1, 2}, {12e-6, 6e-6, 6e-6}}; /* a cell: 6 x 6 x 3 voxels, 2 x 2 x 1 windows */
  ScoriaPorosity por;
  double eps[4];
  (void)state;
  library_of(PETSC_COMM_SELF, &grid, "reflect: none, holdout: 0, file: scan.npy, " GRAY, &por);
  for (uint64_t id = 0; id < 50; id++) {
    int found = 0;
    CHECK(ScoriaPorosityDraw(por, 0, id, eps));
    for (int z0 = 0; z0 + 3 <= NZ; z0 += 3)
      for (int y0 = 0; y0 + 6 <= NY; y0 += 3)
        for (int x0 = 0; x0 + 6 <= NX; x0 += 3) {
          int pores = 0;
          for (int k = 0; k < 108; k++) pores += gray[z0 + k / 36][y0 + k / 6 % 6][x0 + k % 6] < 128;
          found += fabs(eps[0] - pores / 108.0) < 1e-14;
        }
    assert_true(found > 0);
  }
  CHECK(ScoriaPorosityDestroy(&por));
}

/* Porosity of the windows of 3 x 3 x 3 voxels. */
static double window(int z, int y, int x)
{
  int pores = 0;
  for (int k = 0; k < 27; k++) pores += gray[3 * z + k / 9][3 * y + k / 3 % 3][3 * x + k % 3] < 128;
  return pores / 27.0;
}

/* Means, and second moments along x and y, of the structure over all places that a crop may have: along x all offsets,
 * reflections along y do not change them.  Draws: 5 standard errors. */
static void two_point_statistics_are_the_structures(void **state)
{
  enum { DRAWS = 40000, X = NX / 3, Y = NY / 3, Z = NZ / 3, CX = 4, CY = 3 };
  const ScoriaGrid grid  = {2, {CX, CY, 1}, {CX * 3e-6, CY * 3e-6, 3e-6}};
  static const int lag[] = {0, 1, 3};
  ScoriaPorosity por;
  double eps[CX * CY];
  (void)state;
  library_of(PETSC_COMM_SELF, &grid, "file: scan.npy, holdout: 0, " GRAY, &por);
  for (size_t l = 0; l < sizeof lag / sizeof *lag; l++) {
    double truth = 0, mean = 0, square = 0;
    for (int z = 0; z < Z; z++)
      for (int y0 = 0; y0 + CY <= Y; y0++)
        for (int y = y0; y < y0 + CY; y++) /* a crop is turned round: any of its lines may be the first */
          for (int x0 = 0; x0 + CX <= X; x0++)
            truth += window(z, y, x0) * window(z, y, x0 + lag[l]) / (Z * (Y - CY + 1) * CY * (X - CX + 1));
    for (uint64_t id = 0; id < DRAWS; id++) {
      CHECK(ScoriaPorosityDraw(por, 0, id, eps));
      mean += eps[0] * eps[lag[l]] / DRAWS;
      square += pow(eps[0] * eps[lag[l]], 2) / DRAWS;
    }
    assert_true(truth > 0.05);
    assert_near(mean, truth, 5 * sqrt((square - mean * mean) / DRAWS));
  }
  CHECK(ScoriaPorosityDestroy(&por));
}

/* Of a structure whose windows all differ, no value of a crop for training is in one held out. */
static void held_out_crops_are_disjoint(void **state)
{
  enum { LINES = 20, CELLS = 8, DRAWS = 400 };
  static double plane[LINES][CELLS];
  const ScoriaGrid grid = {2, {CELLS, 3, 1}, {CELLS * 1e-6, 3e-6, 1e-6}};
  bool seen[2][LINES]   = {{false}};
  ScoriaPorosity por;
  double eps[3 * CELLS];
  int rank;
  (void)state;
  for (int y = 0; y < LINES; y++)
    for (int x = 0; x < CELLS; x++) plane[y][x] = 0.2 + 0.02 * y + 0.0001 * x;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (!rank) write_npy("plane.npy", "<f8", 8, plane, LINES * CELLS, "20, 8");
  MPI_Barrier(PETSC_COMM_WORLD);
  library_of(PETSC_COMM_SELF, &grid, "file: plane.npy, axes: [y, x], voxel: 1e-6, holdout: 0.25", &por);
  for (int part = 0; part < 2; part++) {
    porosity_hold_out(por, part);
    for (uint64_t id = 0; id < DRAWS; id++) {
      CHECK(ScoriaPorosityDraw(por, 0, id, eps));
      for (int y = 0; y < 3; y++) seen[part][(int)((eps[y * CELLS] - 0.2) / 0.02 + 0.01)] = true;
    }
  }
  for (int y = 0; y < LINES; y++) assert_true(seen[0][y] == (y < 15) && seen[1][y] == (y >= 15));
  CHECK(ScoriaPorosityDestroy(&por));
  expect_refused(&grid, "file: plane.npy, axes: [y, x], voxel: [1e-6, 2.5e-7, 1e-6]",
                 "no two that are disjoint, for a part that is held out");
}

/* Rows of whole profiles are drawn as they are: without replacement each once a pass. */
static void profiles_are_drawn_whole(void **state)
{
  enum { ROWS = 10, TRAINED = 8, CELLS = 5 };
  const ScoriaGrid grid = {1, {CELLS, 1, 1}, {1e-4, 2e-5, 2e-5}};
  ScoriaPorosity por;
  double eps[CELLS];
  int rank;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (!rank) {
    FILE *out = fopen("rows.csv", "w");
    assert_non_null(out);
    fputs("# porosities\nx1; x2; x3; x4; x5\n", out);
    for (int r = 0; r < ROWS; r++) fprintf(out, "%g; %g;%g;0.3;0.25\n", 0.3 + 0.01 * r, 0.2 + 0.01 * r, 0.5);
    fclose(out);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  for (int replacement = 0; replacement < 2; replacement++) {
    int drawn[2][ROWS] = {{0}}, most = 0;
    library_of(PETSC_COMM_SELF, &grid, replacement ? "file: rows.csv" : "file: rows.csv, replacement: false", &por);
    for (uint64_t id = 0; id < 3 * TRAINED; id++) {
      CHECK(ScoriaPorosityDraw(por, 0, id, eps));
      const int row = (int)((eps[0] - 0.3) / 0.01 + 0.5);
      assert_near(eps[1], eps[0] - 0.1, 1e-15);
      assert_true(eps[2] == 0.5 && eps[3] == 0.3 && eps[4] == 0.25);
      drawn[0][row]++;
    }
    porosity_hold_out(por, true);
    for (uint64_t id = 0; id < 40; id++) {
      CHECK(ScoriaPorosityDraw(por, 0, id, eps));
      drawn[1][(int)((eps[0] - 0.3) / 0.01 + 0.5)]++;
    }
    for (int r = 0; r < ROWS; r++) {
      assert_true(!drawn[0][r] || !drawn[1][r]);
      if (!replacement) assert_true(drawn[0][r] == 3 || (!drawn[0][r] && drawn[1][r] == 20));
      most = PetscMax(most, drawn[0][r]);
    }
    if (replacement) assert_true(most > 3);
    CHECK(ScoriaPorosityDestroy(&por));
  }
}

/* A group's slabs are those of the whole draw, and the effective porosity is the harmonic mean of what is drawn. */
static void groups_draw_the_same(void **state)
{
  const ScoriaGrid grid = {3, {4, 2, 3}, {12e-6, 6e-6, 9e-6}};
  double whole[24], own[24], effective, sum = 0, square = 0;
  const double b = 1.5;
  int rank, size, first, number;
  ScoriaPorosity alone, together;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  grid_slab(&grid, rank, size, &first, &number);
  library_of(PETSC_COMM_SELF, &grid, "holdout: 0, file: scan.npy, " GRAY, &alone);
  library_of(PETSC_COMM_WORLD, &grid, "holdout: 0, file: scan.npy, " GRAY, &together);
  for (uint64_t id = 0; id < 4000; id++) {
    CHECK(ScoriaPorosityDraw(alone, 0, id, whole));
    CHECK(ScoriaPorosityDraw(together, 0, id, own));
    assert_memory_equal(own, whole + first * 8, (size_t)number * 8 * sizeof *own);
    for (int i = 0; i < 24; i++) sum += pow(whole[i], -b) / (24 * 4000);
    square += pow(whole[5], -2 * b) / 4000;
  }
  CHECK(ScoriaPorosityEffective(alone, b, &effective));
  /* the tiles of a structure, each once, against crops at all offsets: windows near its ends are in fewer of these; a
   * tenth of the SD of eps^-b */
  assert_near(pow(effective, -b), sum, 0.1 * sqrt(square - sum * sum));
  double mean, again;
  CHECK(ScoriaPorosityEffective(alone, 0, &mean));
  CHECK(ScoriaPorosityEffective(alone, b, &again));
  assert_true(mean > effective && again == effective);
  CHECK(ScoriaPorosityDestroy(&alone));
  CHECK(ScoriaPorosityDestroy(&together));
}

/* One structure stays while crops of it are drawn, whatever else is read. */
static void several_structures_at_once(void **state)
{
  static const char *const files[] = {"file: scan.npy, holdout: 0, " GRAY,
                                      "file: scan.npy, holdout: 0, voxel: 1e-6, threshold: 128, window: 6e-6",
                                      "file: slices, holdout: 0, " GRAY};
  ScoriaPorosity first, second, third;
  double before[16], after[16], other[16];
  (void)state;
  library_of(PETSC_COMM_SELF, &box, files[0], &first);
  CHECK(ScoriaPorosityDraw(first, 0, 3, before));
  library_of(PETSC_COMM_SELF, &box, files[1], &second);
  CHECK(ScoriaPorosityDraw(second, 0, 3, other));
  assert_true(memcmp(before, other, sizeof other) != 0);
  library_of(PETSC_COMM_SELF, &box, files[2], &third);
  CHECK(ScoriaPorosityDestroy(&second));
  CHECK(ScoriaPorosityDraw(first, 0, 3, after));
  assert_memory_equal(before, after, sizeof after);
  CHECK(ScoriaPorosityDestroy(&first));
  CHECK(ScoriaPorosityDraw(third, 0, 3, after));
  assert_memory_equal(before, after, sizeof after);
  library_of(PETSC_COMM_SELF, &box, files[1], &first); /* frees the first two */
  CHECK(ScoriaPorosityDraw(third, 0, 3, after));
  assert_memory_equal(before, after, sizeof after);
  CHECK(ScoriaPorosityDestroy(&first));
  CHECK(ScoriaPorosityDestroy(&third));
}

static void what_cannot_be_used_is_refused(void **state)
{
  const ScoriaGrid large = {3, {4, 2, 2}, {30e-6, 6e-6, 6e-6}};
  int rank;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  expect_refused(&large, "file: scan.npy, " GRAY,
                 "scan.npy: has 2.4e-05 x 1.8e-05 x 1.2e-05 m (x, y, z) in whole windows, too small for crops of 3e-05 "
                 "x 6e-06 x 6e-06 m");
  expect_refused(&box, "file: scan.npy, threshold: 128", "porosity_voxel: not set; a plane or volume");
  expect_refused(&box, "file: scan.npy, voxel: 1e-6", "need porosity_threshold or porosity_phase");
  expect_refused(&box, "file: scan.npy, voxel: 1e-6, phase: [300]", "choose a larger porosity_window");
  expect_refused(&box, "file: scan.npy, voxel: 1e-6, phase: [3=2]", "allowed is a porosity from 0 to 1");
  expect_refused(&box, "file: scan.npy, voxel: 1e-6, threshold: 3, phase: [3]", "give one of them");
  expect_refused(&box, "file: scan.npy, axes: [z, z, x], voxel: 1e-6", "found z twice");
  expect_refused(&box, "file: scan.npy, axes: [y, x], voxel: 1e-6", "found 2, but scan.npy has 3 axes");
  expect_refused(&box, "file: nothing.npy, voxel: 1e-6", "nothing.npy: cannot be read");
  expect_refused(&box, "file: scan.h5, voxel: 1e-6", "/fields/eps");
  expect_refused(&box, "file: scan.npy, threshold: 128, voxel: 1e-9",
                 "too small for crops of 1.2e-05 x 6e-06 x 6e-06 m");
  expect_refused(&box, "file: negative.npy, " GRAY, "axis 1: found a length of -12, expected 1 to 2147483647");
  expect_refused(&box, "file: claim.tif, " GRAY, "found 2.306e+18 values in a slice along its first axis");
  expect_refused(&box, "file: several, " GRAY, "image 1 (several/1.tif): holds more than one image");
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!rank) assert_int_equal(truncate("scan.npy", 3000), 0);
  if (!rank) assert_int_equal(truncate("slices/slice4.tif", 100), 0);
  struct stat st;
  if (!rank) assert_int_equal(stat("pages.tif", &st), 0);
  if (!rank) assert_int_equal(truncate("pages.tif", st.st_size / 2), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  expect_refused(&box, "file: scan.npy, " GRAY, "has 3000 bytes, expected 5184 numbers of 1 bytes");
  expect_refused(&box, "file: slices, " GRAY, "image 5 (slices/slice4.tif)");
  expect_refused(&box, "file: pages.tif, " GRAY, "pages.tif: cut short or damaged behind image");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(formats_agree),
                                     cmocka_unit_test(cells_are_means_of_voxels),
                                     cmocka_unit_test(two_point_statistics_are_the_structures),
                                     cmocka_unit_test(held_out_crops_are_disjoint),
                                     cmocka_unit_test(profiles_are_drawn_whole),
                                     cmocka_unit_test(groups_draw_the_same),
                                     cmocka_unit_test(several_structures_at_once),
                                     cmocka_unit_test(what_cannot_be_used_is_refused)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  write_all();
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
