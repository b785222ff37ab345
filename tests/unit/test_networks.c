/* Networks, every row of the table: gradients in double against directional derivatives with sign, zero at the start,
 * the shared and the general forward pass, independence of a row from the rest of its tile. */
#include "score/net.h"
#include "score/model.h"
#include "testing.h"
#include <math.h>

enum { R = 6, D = 2, CHANNELS = 2, CELLS = 11, BATCH = 5 };

static float basis[R * CHANNELS * CELLS];

/* Cosines: orthonormal rows. */
static void make_basis(void)
{
  const int n = CHANNELS * CELLS;
  for (int k = 0; k < R; k++)
    for (int i = 0; i < n; i++) basis[k * n + i] = (float)(cos(PETSC_PI * (k + 1) * (i + 0.5) / n) * sqrt(2.0 / n));
}

/* Widths that are no multiple of a vector; 11 cells in patches of 3 leave a padded token. */
static ScoriaNetSpec small_spec(const NetworkRow *row)
{
  ScoriaNetSpec spec = {.r        = R,
                        .d        = D,
                        .width    = 21,
                        .depth    = 2,
                        .embed    = 9,
                        .channels = CHANNELS,
                        .cells    = CELLS,
                        .kernel   = 5,
                        .patch    = 3,
                        .basis    = row->on_grid ? basis : NULL};
  strcpy(spec.kind, row->name);
  return spec;
}

static ScoriaNet make_net_of(const ScoriaNetSpec *spec, int max_batch, bool training)
{
  ScoriaNet net;
  make_basis();
  assert_int_equal(NetCreate(spec, max_batch, training, &net), 0);
  return net;
}

static ScoriaNet make_net(const NetworkRow *row, int max_batch, bool training)
{
  const ScoriaNetSpec spec = small_spec(row);
  return make_net_of(&spec, max_batch, training);
}

/* All tensors away from zero, FiLM and output too. */
static void randomise(ScoriaNet net)
{
  for (int i = 0; i < net->plan.tensors; i++) {
    NetTensor *t = &net->plan.tensor[i];
    rng_normalf(3, SCORIA_STREAM_INIT, (uint64_t)i, 0, (int)t->count, net->param + t->offset);
    for (int64_t k = 0; k < t->count; k++) net->param[t->offset + k] *= 0.3f;
  }
}

static void inputs(int n, float x[], float label[], float u[])
{
  rng_normalf(3, SCORIA_STREAM_SAMPLE, 0, 0, n * R, x);
  rng_normalf(3, SCORIA_STREAM_SAMPLE, 1, 0, n, label);
  rng_normalf(3, SCORIA_STREAM_SAMPLE, 2, 0, n * D, u);
}

/* ---------------------------------------------------------------------------------------------- double build ---- */

typedef struct {
  const NetworkRow *row;
  const NetPlan *plan;
  double *basis, *work, *q;
  double label[BATCH], u[BATCH * D], w[BATCH * R];
} Double;

/* <w, F> at the point p + t v of (parameters, x). */
static double along(Double *c, const double p[], const double v[], double t)
{
  const int64_t P = c->plan->parameters, n = P + BATCH * R;
  double F[BATCH * R], sum                 = 0;
  for (int64_t i = 0; i < n; i++) c->q[i] = p[i] + t * v[i];
  c->row->forward_d(c->plan, c->q, c->basis, c->work, BATCH, c->q + P, c->label, c->u, false, F);
  for (int i = 0; i < BATCH * R; i++) sum += c->w[i] * F[i];
  return sum;
}

static double *make_doubles(int64_t n)
{
  double *a = calloc((size_t)n, sizeof *a);
  assert_non_null(a);
  return a;
}

/* As in the tests of layers, with more operations in a row: 1e-8 of |gradient| |v|. */
static void check_gradient(const NetworkRow *row)
{
  ScoriaNet net   = make_net(row, BATCH, true);
  const int64_t P = net->plan.parameters, n = P + BATCH * R;
  Double c  = {.row = row, .plan = &net->plan, .work = make_doubles(net->plan.work), .q = make_doubles(n)};
  double *p = make_doubles(n), *v = make_doubles(n), *g = make_doubles(n), *transposed = make_doubles(P);
  double F[BATCH * R];
  const double h = 1e-4; /* finer than for a layer: the function bends more */
  if (row->on_grid) {
    const int64_t count = (int64_t)R * net->plan.span * net->plan.channels;
    c.basis             = make_doubles(count);
    for (int64_t i = 0; i < count; i++) c.basis[i] = (double)net->basis[i];
  }
  rng_normal(5, SCORIA_STREAM_SAMPLE, 0, 0, BATCH, c.label);
  rng_normal(5, SCORIA_STREAM_SAMPLE, 1, 0, BATCH * D, c.u);
  for (uint64_t trial = 0; trial < 4; trial++) {
    rng_normal(5, SCORIA_STREAM_SAMPLE, 10 * trial + 2, 0, BATCH * R, c.w);
    rng_normal(5, SCORIA_STREAM_SAMPLE, 10 * trial + 3, 0, (int)n, p);
    rng_normal(5, SCORIA_STREAM_SAMPLE, 10 * trial + 4, 0, (int)n, v);
    for (int64_t i = 0; i < P; i++) p[i] *= 0.3;
    const double slope =
        (8 * (along(&c, p, v, h) - along(&c, p, v, -h)) - (along(&c, p, v, 2 * h) - along(&c, p, v, -2 * h))) /
        (12 * h);
    row->forward_d(&net->plan, p, c.basis, c.work, BATCH, p + P, c.label, c.u, false, F);
    memset(g, 0, sizeof *g * (size_t)n);
    net_transpose_d(&net->plan, p, transposed);
    row->backward_d(&net->plan, transposed, c.basis, g, trial % 2 ? 1 : 0, c.work, BATCH, c.w, g + P);
    double value = 0, gg = 0, vv = 0;
    for (int64_t i = 0; i < n; i++) value += g[i] * v[i], gg += g[i] * g[i], vv += v[i] * v[i];
    if (!(fabs(slope - value) <= 1e-8 * sqrt(gg * vv)) || gg == 0)
      fail_msg("%s: %.15g by differences, %.15g by the backward pass", row->name, slope, value);
  }
  free(p), free(v), free(g), free(transposed), free(c.basis), free(c.work), free(c.q);
  assert_int_equal(NetDestroy(&net), 0);
}

static void gradients_match_differences(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) check_gradient(row);
}

/* The single precision build against the double one: a hundred roundings in a row of values of order one. */
static void single_agrees_with_double(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNet net   = make_net(row, BATCH, true);
    const int64_t P = net->plan.parameters;
    float x[BATCH * R], label[BATCH], u[BATCH * D], F[BATCH * R], w[BATCH * R], dx[BATCH * R];
    double xd[BATCH * R], labeld[BATCH], ud[BATCH * D], Fd[BATCH * R], wd[BATCH * R], dxd[BATCH * R];
    double *p = make_doubles(P), *g = make_doubles(P), *work = make_doubles(net->plan.work), *V = NULL;
    double *transposed = make_doubles(P);
    randomise(net);
    inputs(BATCH, x, label, u);
    rng_normalf(3, SCORIA_STREAM_SAMPLE, 9, 0, BATCH * R, w);
    for (int i = 0; i < BATCH * R; i++) xd[i] = (double)x[i], wd[i] = (double)w[i];
    for (int i = 0; i < BATCH; i++) labeld[i] = (double)label[i];
    for (int i = 0; i < BATCH * D; i++) ud[i] = (double)u[i];
    for (int64_t i = 0; i < P; i++) p[i] = (double)net->param[i];
    if (row->on_grid) {
      const int64_t count = (int64_t)R * net->plan.span * net->plan.channels;
      V                   = make_doubles(count);
      for (int64_t i = 0; i < count; i++) V[i] = (double)net->basis[i];
    }
    net_forward(net, BATCH, x, label, u, F);
    net_backward_first(net, BATCH, w, dx);
    row->forward_d(&net->plan, p, V, work, BATCH, xd, labeld, ud, false, Fd);
    net_transpose_d(&net->plan, p, transposed);
    row->backward_d(&net->plan, transposed, V, g, 0, work, BATCH, wd, dxd);
    double error = 0, size = 0, gerror = 0, gsize = 0;
    for (int i = 0; i < BATCH * R; i++) error = fmax(error, fabs((double)F[i] - Fd[i])), size = fmax(size, fabs(Fd[i]));
    for (int64_t i = 0; i < P; i++)
      gerror = fmax(gerror, fabs((double)net->grad[i] - g[i])), gsize = fmax(gsize, fabs(g[i]));
    if (!(error <= 100 * 0x1p-24 * size) || !(gerror <= 100 * 0x1p-24 * gsize))
      fail_msg("%s: F off by %g of %g, gradient by %g of %g", row->name, error, size, gerror, gsize);
    free(p), free(g), free(transposed), free(work), free(V);
    assert_int_equal(NetDestroy(&net), 0);
  }
}

static void output_is_zero_at_the_start(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNet net = make_net(row, BATCH, true);
    float x[BATCH * R], label[BATCH], u[BATCH * D], F[BATCH * R];
    double sum = 0;
    net_initialise(net, 1);
    inputs(BATCH, x, label, u);
    net_forward(net, BATCH, x, label, u, F);
    for (int i = 0; i < BATCH * R; i++) assert_true(F[i] == 0);
    net_backward_first(net, BATCH, x, NULL); /* and yet it can leave zero */
    for (int64_t i = 0; i < net_parameter_count(net); i++) sum += fabs((double)net_gradient(net)[i]);
    assert_true(sum > 0);
    assert_int_equal(NetDestroy(&net), 0);
  }
}

/* One label and condition for a tile, in a network made for sampling; FiLM goes through a product of another shape, so
 * rounding differs. */
static void shared_forward_is_forward(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNet net = make_net(row, BATCH, true), sampling = make_net(row, BATCH, false);
    float x[BATCH * R], label[BATCH], u[BATCH * D], F[BATCH * R], G[BATCH * R];
    randomise(net), randomise(sampling);
    inputs(BATCH, x, label, u);
    for (int i = 1; i < BATCH; i++) {
      label[i] = label[0];
      for (int k = 0; k < D; k++) u[i * D + k] = u[k];
    }
    net_forward(net, BATCH, x, label, u, F);
    net_forward_shared(sampling, BATCH, x, label[0], u, G);
    for (int i = 0; i < BATCH * R; i++) assert_true(fabsf(F[i] - G[i]) <= 1e-5f * (1 + fabsf(F[i])));
    assert_int_equal(NetDestroy(&net), 0);
    assert_int_equal(NetDestroy(&sampling), 0);
  }
}

/* Two mixes a block in bfloat16 change F by some roundings of operands, 2^-9 each and of random sign, and not by
 * nothing; switched off, the bits are those of before. */
static void bfloat16_is_near(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNet net = make_net(row, BATCH, false);
    float x[BATCH * R], label[BATCH], u[BATCH * D], F[BATCH * R], G[BATCH * R], H[BATCH * R];
    double error = 0, size = 0;
    randomise(net);
    inputs(BATCH, x, label, u);
    net_forward_shared(net, BATCH, x, label[0], u, F);
    assert_int_equal(NetUseBfloat16(net, true), 0);
    net_forward_shared(net, BATCH, x, label[0], u, G);
    assert_int_equal(NetUseBfloat16(net, false), 0);
    net_forward_shared(net, BATCH, x, label[0], u, H);
    assert_memory_equal(F, H, sizeof F);
    for (int i = 0; i < BATCH * R; i++) {
      error += pow((double)(F[i] - G[i]), 2);
      size += pow((double)F[i], 2);
    }
    assert_true(sqrt(error / size) > 1e-5 && sqrt(error / size) < 8 * 0x1p-9);
    assert_int_equal(NetDestroy(&net), 0);
  }
}

/* A row's output is a matter of that row: same bits whatever the others hold, in a full tile at the sizes in use, for
 * which the matrix products take their usual path.  Where it stands may matter (OpenBLAS's kernels for AVX2 treat the
 * last rows of a product apart), which is why a sample always stands in the same row (sample.c). */
static void check_rows_are_independent(const NetworkRow *row, bool bfloat16)
{
  static float x[MODEL_TILE * R], y[MODEL_TILE * R], label[MODEL_TILE], u[MODEL_TILE * D], F[MODEL_TILE * R],
      G[MODEL_TILE * R];
  ScoriaNetSpec spec = small_spec(row);
  spec.width         = row->width;
  spec.embed         = 128;
  ScoriaNet net      = make_net_of(&spec, MODEL_TILE, false);
  randomise(net);
  assert_int_equal(NetUseBfloat16(net, bfloat16), 0);
  inputs(MODEL_TILE, x, label, u);
  net_forward_shared(net, MODEL_TILE, x, 0.2f, u, F);
  memcpy(y, x, sizeof y);
  for (int i = 0; i < MODEL_TILE; i += 3)
    for (int k = 0; k < R; k++) y[i * R + k] = -3;
  net_forward_shared(net, MODEL_TILE, y, 0.2f, u, G);
  for (int i = 0; i < MODEL_TILE; i++)
    assert_true((memcmp(G + i * R, F + i * R, sizeof(float) * R) != 0) == (i % 3 == 0));
  assert_int_equal(NetDestroy(&net), 0);
}

static void rows_are_independent(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    check_rows_are_independent(row, false);
    check_rows_are_independent(row, true);
  }
}

/* What an earlier, larger tile left in the arena does not matter. */
static void arena_holds_no_memory(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNet used = make_net(row, BATCH, true), fresh = make_net(row, BATCH, true);
    float x[BATCH * R], label[BATCH], u[BATCH * D], F[BATCH * R], G[BATCH * R];
    randomise(used), randomise(fresh);
    inputs(BATCH, x, label, u);
    net_forward(used, BATCH, x, label, u, F);
    net_backward(used, BATCH, x, NULL);
    net_forward(used, BATCH - 2, x, label, u, F);
    net_backward_first(used, BATCH - 2, x, NULL);
    net_forward(fresh, BATCH - 2, x, label, u, G);
    net_backward(fresh, BATCH - 2, x, NULL);
    assert_memory_equal(F, G, sizeof(float) * (BATCH - 2) * R);
    assert_memory_equal(net_gradient(used), net_gradient(fresh), sizeof(float) * (size_t)net_parameter_count(used));
    assert_int_equal(NetDestroy(&used), 0);
    assert_int_equal(NetDestroy(&fresh), 0);
  }
}

/* The backward pass reads transposed weights: those of the weights as they are, not as they were. */
static void backward_follows_the_weights(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNet used = make_net(row, BATCH, true), fresh = make_net(row, BATCH, true);
    const int64_t P = net_parameter_count(used);
    float x[BATCH * R], label[BATCH], u[BATCH * D], F[BATCH * R], dx[BATCH * R], expected[BATCH * R];
    randomise(used);
    inputs(BATCH, x, label, u);
    net_forward(used, BATCH, x, label, u, F);
    net_backward_first(used, BATCH, x, dx);
    float *weights = net_parameters(used);
    for (int64_t i = 0; i < P; i++) weights[i] *= 1.5f;
    memcpy(net_parameters(fresh), weights, sizeof(float) * (size_t)P);
    net_forward(used, BATCH, x, label, u, F);
    net_backward_first(used, BATCH, x, dx);
    net_forward(fresh, BATCH, x, label, u, F);
    net_backward_first(fresh, BATCH, x, expected);
    assert_memory_equal(dx, expected, sizeof dx);
    assert_memory_equal(net_gradient(used), net_gradient(fresh), sizeof(float) * (size_t)P);
    assert_int_equal(NetDestroy(&used), 0);
    assert_int_equal(NetDestroy(&fresh), 0);
  }
}

/* Tensors tile the parameters in order, under names of their own. */
static void tensors_cover_the_parameters(void **state)
{
  (void)state;
  for (const NetworkRow *row = scoria_networks; row->name; row++) {
    ScoriaNet net = make_net(row, BATCH, false);
    const char *name, *other;
    int rank, r2;
    int64_t dims[4], offset, next = 0;
    for (int i = 0; net_tensor(net, i, &name, &rank, dims, &offset); i++) {
      int64_t count = 1, d2[4], o2;
      for (int k = 0; k < rank; k++) count *= dims[k];
      assert_true(offset == next && count > 0);
      next += count;
      for (int j = 0; j < i; j++) {
        net_tensor(net, j, &other, &r2, d2, &o2);
        assert_string_not_equal(name, other);
      }
    }
    assert_true(next == net_parameter_count(net));
    assert_int_equal(NetDestroy(&net), 0);
  }
}

static void impossible_sizes_are_refused(void **state)
{
  ScoriaNetSpec spec = small_spec(&scoria_networks[1]);
  ScoriaNet net;
  (void)state;
  spec.kernel = 4;
  assert_int_not_equal(NetCreate(&spec, 1, false, &net), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "train_kernel is 4"));
  ScoriaFailureReset();
  spec       = small_spec(&scoria_networks[1]);
  spec.patch = CELLS + 1;
  assert_int_not_equal(NetCreate(&spec, 1, false, &net), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "train_patch is 12"));
  ScoriaFailureReset();
  strcpy(spec.kind, "nothing");
  assert_int_not_equal(NetCreate(&spec, 1, false, &net), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  ScoriaFailureReset();
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_match_differences),
      cmocka_unit_test(single_agrees_with_double),
      cmocka_unit_test(output_is_zero_at_the_start),
      cmocka_unit_test(shared_forward_is_forward),
      cmocka_unit_test(bfloat16_is_near),
      cmocka_unit_test(rows_are_independent),
      cmocka_unit_test(arena_holds_no_memory),
      cmocka_unit_test(backward_follows_the_weights),
      cmocka_unit_test(tensors_cover_the_parameters),
      cmocka_unit_test(impossible_sizes_are_refused),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
