/* Private to the answer from several fidelities: the state of the condition at work, and what is known of each when it
 * is done.
 */
#ifndef SCORIA_MULTILEVEL_H
#define SCORIA_MULTILEVEL_H

#include "scoria/levels.h"

#define LEVELS_TILE 256              /* draws of a tile at most, */
#define LEVELS_TILE_VALUES (1 << 19) /* and, of whole fields, values of a member, unless they are fewer draws than */
#define LEVELS_TILE_LEAST 4
#define LEVELS_TILES 64 /* of a group, at least, where it has as many draws */

/* Of one condition, numbers alone: they are kept in checkpoints as an array. */
struct LevelsAnswer_ {
  double groups, members[PLAN_GROUPS], draws[PLAN_GROUPS]; /* of the plan as it was drawn; members as bits */
  double pilot;                                            /* draws of it */
  double cost[LEVELS_MODELS + 1];   /* of a solve, and of a draw of the porosity: what the plan was made with */
  double solves[LEVELS_MODELS + 1]; /* with the pilot's; the last: draws of the porosity */
  double failed[LEVELS_MODELS];
  double work;   /* of all of it, at these costs */
  double excess; /* largest standard error over what is promised of it; NAN: nothing is */
  /* Of the quantities, from the pilot: correlation with the first member, SD; how many solves of the first member give
   * the error of the mean, times their cost over the work; bias of the grid, its standard error, the order it is
   * extrapolated with. */
  double correlation[UQ_MAX_QUANTITIES][LEVELS_MODELS], sd[UQ_MAX_QUANTITIES][LEVELS_MODELS];
  double gain[UQ_MAX_QUANTITIES], bias[UQ_MAX_QUANTITIES], bias_se[UQ_MAX_QUANTITIES], order[UQ_MAX_QUANTITIES];
};

/* Of conditions that are no more than UQ_JOINT_CONDITIONS, for whoever wants to make the estimate again: of every
 * quantity the pilot (pilot, K), rows of failed solves NaN at its end, and means (sets, K) of the groups, NaN where
 * there are none; set s being the bits of s + 1. */
typedef struct {
  int sets;
  size_t means, size; /* places in a quantity's part */
} LevelsKept;
LevelsKept levels_kept(int K, int64_t pilot);

/* What has been counted of each member, and of the porosity, at a condition. */
typedef enum { LEVELS_PILOT, LEVELS_GROUPS, LEVELS_PLACING, LEVELS_PHASES } LevelsPhase;
typedef struct {
  int64_t work[LEVELS_MODELS + 1], solves[LEVELS_MODELS + 1], failed[LEVELS_MODELS + 1];
} LevelsTally;

/* Groups of draws at work. */
typedef struct {
  ScoriaPlan plan;
  int64_t tile[PLAN_GROUPS], done[PLAN_GROUPS]; /* draws of a tile; tiles that are done */
  ScoriaCoupled sums[PLAN_GROUPS];              /* owned */
  int top_ups;                                  /* times that it has been lengthened */
} LevelsGroups;

/* An outer quantile p that is asked for: where it is thought to be, in SDs of the first member from its mean, and the
 * standard error of that. */
typedef struct {
  double p, z, se;
} LevelsPlace;

/* Of a quantity, what makes the base's values those of the screened member, the last: factor and shift of the
 * regression on them; mean and SD of the first member; what the regression leaves, in that SD; the outer quantiles that
 * are asked for; and how many SDs towards either tail these begin, infinite where there is none. */
typedef struct {
  double factor, shift, mean, sd, left, from[2];
  int n;
  LevelsPlace at[UQ_MAX_QUANTILES];
} LevelsScreened;

typedef struct {
  ScoriaRun run; /* borrowed, as is all down to the options */
  ScoriaDeck deck;
  const UqQuestion *q;
  UqAnswer *a;
  LevelsKnown *known;
  UqDraws *draws;
  ScoriaFidelities all;
  const ScoriaWorkers *workers;
  bool passing;
  LevelsOptions o;
  int K;                                               /* members, the screened one among them */
  int64_t columns;                                     /* 64 bits, as draws times columns need them */
  int plain;                                           /* columns without quantiles: the cells of whole fields */
  int most;                                            /* draws of a tile, at most */
  double *fields[LEVELS_MODELS], *rows[LEVELS_MODELS]; /* owned (most, m), which the screened one takes from others, and
                                                          (most, columns) */

  /* the condition at work */
  int k;
  int64_t pilot_done;     /* draws of the pilot; */
  double *pilot;          /* owned (o.pilot, K, columns): its rows, each on the rank that drew it until it is shared */
  int64_t good;           /* rows of the pilot in which no solve failed, moved to the front; -1: it is not complete */
  double *centre, *scale; /* owned (K, columns): of what is summed of each member, its mean and SD in the pilot */
  double *limit;          /* owned (K, cells): see ScoriaCoupledSpec */
  int cells;
  LevelsScreened screened[UQ_MAX_QUANTITIES]; /* where there is a screened member */
  int64_t to_place, placed_done; /* draws of the base alone that place outer quantiles; those that are done */
  double *placed;                /* owned (to_place, quantities): their numbers */
  double asked;                  /* draws of the first member alone that have the error that is asked for */
  double thrift;                 /* cost of the base over that of the first, with the porosity */
  double near;                   /* share of its draws that is solved, as the pilot has it */
  double *pairs;       /* owned (2, o.pilot): work, a number of the first member and of the base in the pilot */
  int *pilot_times;    /* owned (o.pilot): how often a solve of the pilot's draw would count; */
  int *times;          /* owned (most): how often those of the tile at work do, 0 where there is none, */
  double *in_place;    /* owned (most, columns): and their rows */
  double *C;           /* owned (columns, K, K): covariance of the members, each in units of its scale; that of
                          independent members where the first is constant in the pilot */
  bool *lump;          /* owned (columns): a value has a third of the draws or more, as of an event */
  bool *varies;        /* owned (columns): whether it is not */
  double *wide;        /* owned (columns): scale by the range of the draws, where the pilot's served none; 0: it did */
  LevelsGroups groups; /* there once the pilot is complete */
  int64_t step;        /* tiles of a worker in the next round */

  LevelsTally here[LEVELS_PHASES], total[LEVELS_PHASES]; /* of this rank since it was last shared; of all up to there */

  ScoriaProgress bar; /* borrowed; NULL: none is shown */
  bool forecast;      /* it is of the pilot's draws, not of conditions */

  double before[LEVELS_MODELS + 1]; /* core seconds in the starts before this one, of all ranks */
  double saved;                     /* when the last checkpoint was written */
} Levels;

/* multilevel_run.c: LevelsRun with options that do not come from the deck. */
PetscErrorCode LevelsRunWith(const LevelsAsked *of, const LevelsOptions *o, const UqQuestion *q, UqAnswer *a,
                             LevelsKnown *known);
/* An object at the first condition, with `draws` made for it; the pilot and the plan of the condition at work, where
 * they are not there yet. */
PetscErrorCode LevelsOpen(const LevelsAsked *of, const LevelsOptions *o, const UqQuestion *q, UqAnswer *a,
                          LevelsKnown *known, UqDraws *draws, Levels *l);
PetscErrorCode LevelsClose(Levels *l);
PetscErrorCode LevelsPilot(Levels *l);
/* Between two rounds: a checkpoint when it is time, or when the run is to stop; and how long the next round is. */
PetscErrorCode LevelsPause(Levels *l);

/* multilevel_alone.c: biases of quantity i by a member alone, in SDs of the first one, from the pilot, on all ranks. */
PetscErrorCode LevelsAlone(const Levels *l, int member, int i, ScoriaBias bias[SCORIA_NESTIMATES]);

/* Draws of some members, by this worker alone, into l->fields from row `at` on; and tallies to the totals, on all
 * ranks.
 */
PetscErrorCode LevelsDraw(Levels *l, LevelsPhase phase, unsigned members, uint64_t first, int64_t n, int64_t at);
/* Those of a group, which may hold the screened member, with l->times. */
PetscErrorCode LevelsDrawGroup(Levels *l, unsigned members, uint64_t first, int64_t n);
/* A tile of group j to its sums. */
PetscErrorCode LevelsAddTile(Levels *l, int j, int64_t tile);
/* Members of group j, in ascending order; returns how many. */
int levels_members(const Levels *l, int j, int member[]);
/* What member a has cost this rank; a = K: the porosity. */
ScoriaFidelityCost levels_spent(const Levels *l, int a);
PetscErrorCode LevelsShareTallies(Levels *l);
/* Core seconds of a solve of member a, or of a draw of the porosity, as they were counted in the pilot; of the screened
 * member with those of the deck's own solves. */
double levels_counted(const Levels *l, int a);
/* Core seconds of a solve of each member and of a draw of the porosity, cost (K + 1): those of the deck, or as they
 * were counted in the pilot, which is the same on every machine and any ranks. */
void levels_costs(const Levels *l, double cost[]);

/* multilevel_screen.c.  Whether a member is the screened one; and the member whose law a member has, plus 1, 0: none,
 * which is the first of that. */
bool levels_screens(const Levels *l, int member);
int levels_same(const Levels *l, int member);
bool levels_is_outer(double tail); /* a quantile with so much beyond it is screened for */
/* Once the pilot and the draws that place outer quantiles are there: the rule, and the member's part of the pilot, from
 * the others'. */
PetscErrorCode LevelsScreenTake(Levels *l);
/* Where quantile p of a column is thought to be, in SDs of the first from its mean. */
double levels_place(const Levels *l, int column, double p);
/* How often a solve counts where the base has these quantities: one in so many draws is solved; whether that of this
 * number is: so often, or 0. */
int levels_times(const Levels *l, const double quantity[]);
int levels_sampled(const Levels *l, uint64_t draw, int times);
/* Quantities of the base to those of the screened member. */
void levels_bring(const Levels *l, double quantity[]);
/* Of so many of its draws, those that are solved wherever they lie. */
double levels_sampled_anywhere(const Levels *l, double draws);
/* Deviation of a member in a draw of the pilot, in its SDs, and the square; of the screened one as a solve counts
 * `times` times, 0: as it is not solved. */
void levels_pilot_z(const Levels *l, int64_t draw, int member, int column, int times, double z[2]);
/* What sampling adds to the variance of a column, or of its square, in units of the first one's SD. */
double levels_excess_moment(const Levels *l, int column, int power);
/* To the variance of whether a number is beyond a limit: of l->pairs, by normal differences. */
double levels_excess_beyond(const Levels *l, double limit);
/* Covariance (K, K) of the squares of members, and of whether members are below quantile p of a column, which lies z
 * SDs of the first from its mean; or of the mean of that over `smoothing` edges on both sides. */
void levels_squares(const Levels *l, int column, double to[]);
void levels_indicators(const Levels *l, int column, double p, double z, int smoothing, double to[]);
/* Standard error of a share below such a place for what the screen misses and so many solves wherever they lie may not
 * have shown; 0 where there is no screen.  And how many of these have a `part` of its largest variance. */
double levels_missed(const Levels *l, int column, double z, double share, double solved);
double levels_missed_draws(double tail, double part);

/* multilevel_place.c.  Once the pilot is there: how many draws place outer quantiles; one of them, by this worker
 * alone; all of them, on all ranks. */
PetscErrorCode LevelsToPlace(Levels *l);
PetscErrorCode LevelsPlacingDraw(Levels *l, int64_t i);
PetscErrorCode LevelsPlacingShare(Levels *l);

/* multilevel_pilot.c.  Draw i of the pilot, by this worker alone. */
PetscErrorCode LevelsPilotDraw(Levels *l, int64_t i);
/* Every row to every rank; may be called again. */
PetscErrorCode LevelsPilotShare(Levels *l);
/* Centres, scales and covariances once all rows are there; none of fewer good ones than levels_least.  With a screened
 * member they are those of the others, until LevelsPilotScreen is called once outer quantiles are placed. */
PetscErrorCode LevelsPilotStatistics(Levels *l);
PetscErrorCode LevelsPilotScreen(Levels *l);
PetscErrorCode LevelsPilotForget(Levels *l);
int levels_least(const Levels *l);
/* The numbers (K, K) of a threshold's cell in the pilot, normal in good measure: covariance of the value that decides,
 * and the share of draws beyond the threshold in that law.  limit (K): what the members are as often beyond. */
void levels_threshold(const Levels *l, int t, int cell, double C[], double *p, double limit[]);
/* Covariance (K, K) of whether members are beyond it. */
void levels_beyond(const Levels *l, int t, int cell, double to[]);

/* multilevel_plan.c: groups and numbers of draws for the tolerance or the budget. */
PetscErrorCode LevelsPlan(Levels *l);
/* How often the promised errors are exceeded by now, as variances: the largest of the quantities that the pilot has
 * seen vary; and of one that has varied only since, for which only as many solves of the first member will do. */
typedef struct {
  double seen, unseen;
  int quantity; /* the worst of all */
} LevelsExcess;
LevelsExcess levels_excess(const Levels *l);
/* Core seconds, of a solve of the first member and a draw of its porosity; of the pilot; of the plan. */
double levels_solve_cost(const Levels *l);
double levels_pilot_cost(const Levels *l);
double levels_plan_cost(const Levels *l);
/* Draws of the first member alone that have the errors of all that is promised, as if laws were normal. */
double levels_draws_alone(const Levels *l);
/* Of functional f (0 the mean, 1 the SD, from 2 on the quantiles) of quantity i: LevelsForecast's gain. */
double levels_gain(const Levels *l, int i, int f);
/* More draws, by what is missing, as far as the budget has them; false: it has not. */
bool levels_lengthen(Levels *l, const LevelsExcess *excess);

/* multilevel_tolerance.c.  Whether there is a tolerance beside uq_count; that of quantity i in its SDs, as the pilot
 * has them, and as they are known by now. */
bool levels_has_tolerance(const Levels *l);
double levels_tolerance(const Levels *l, int i);
double levels_tolerance_by_now(const Levels *l, int i);
/* The variance that is allowed, in units of the squared SD: the tolerance, but no less than what uq_count solves of the
 * first member alone would reach, of which one has variance `one`. */
double levels_allowed(const Levels *l, double tolerance, double one);
/* Draws that have the errors of all means by the first member alone. */
double levels_plain_draws(const Levels *l);
/* User errors: a tolerance below the rounding of a mean; one that takes more than the budget, which reaches so much of
 * it. */
PetscErrorCode LevelsCheckTolerance(const Levels *l);
PetscErrorCode LevelsRefuseTolerance(const Levels *l, double cost, double budget, double reached);
/* A warning of errors that are larger than allowed. */
PetscErrorCode LevelsWarnOfErrors(const Levels *l, const LevelsExcess *excess);

/* multilevel_estimate.c: the range of the draws of group j in its first member, beyond rounding; whether a column that
 * was constant in the pilot has varied in the draws since, of any member. */
double levels_range(const Levels *l, int column, int j);
bool levels_awake(const Levels *l, int column);
/* multilevel_range.c.  Whether the sums of a column hold: not where the pilot has misjudged its SD by far, or has seen
 * none of what varies later.  It has no mean and SD then. */
bool levels_summed(const Levels *l, int column);
/* Once all draws are summed: scales by their range for columns that are not, but of quantities that are set aside;
 * again: there are such, and all draws are to be summed again. */
PetscErrorCode LevelsTakeRanges(Levels *l, bool *again);
/* A column with that scale, of which the pilot tells nothing: the first member's draws alone give it. */
void levels_widen(Levels *l, int column, double scale);
/* A warning of quantities that were constant in the pilot, or have no mean, and of errors. */
PetscErrorCode LevelsWarn(const Levels *l, const LevelsExcess *excess);

/* multilevel_estimate.c: the covariance (K, K) of the members in a column. */
const double *levels_covariance(const Levels *l, int column);
/* The plan with the draws that did not fail, and weights (groups, K) for functions of covariance C. */
void levels_weights(const Levels *l, const double C[], ScoriaPlan *plan, double w[]);
/* An estimate and its standard error of functions of covariance C over members, averaged in the groups as `take` says.
 * expected (K, K): the covariance that the pilot expects of indicators, which counts where the draws see few of them
 * differ; NULL: of other functions.  left (groups): the part of each group's variance that the error has; NULL: all. */
typedef void (*LevelsTake)(const void *ctx, ScoriaCoupled sums, double mean[], double covariance[]);
void levels_estimate(const Levels *l, const double C[], const double expected[], const double left[], LevelsTake take,
                     const void *ctx, double *value, double *se);
void levels_mean(const Levels *l, int column, double *mean, double *se);
void levels_sd(const Levels *l, int column, double *sd, double *se);
/* multilevel_uneven.c.  Of a law: its skewness, and its kurtosis less 3. */
typedef struct {
  double skewness, excess;
} LevelsShape;
/* Of what is averaged in a group, v (2 n) on z and z^2 of its n members. */
void levels_shape(const Levels *l, int column, int n, const int of[], const double v[], LevelsShape *shape);
/* The variance of an estimate, from those of the groups: their sum, of their squares over their draws, and the third
 * and fourth cumulants.  Adds a group's, of so many draws of such a shape. */
typedef struct {
  double sum, squares, third, fourth;
} LevelsSpread;
void levels_add_spread(LevelsSpread *to, double part, double draws, const LevelsShape *shape);
/* The square of an error so wide that 1.96 of it, found from the draws themselves, hold the truth in 95 % of cases. */
double levels_widened(const LevelsSpread *s);
/* multilevel_law.c.  Edges on both sides of a quantile over which F is smoothed, where the law is normal. */
int levels_smoothing(const Levels *l, int column, double p);
/* false: outside the histogram, or so few draws that they do not bound it on both sides. */
bool levels_quantile(const Levels *l, int column, double p, double *value, double *se);
/* Of the shares of all thresholds every `step`th, from the first, into the answer of a condition. */
void levels_fill_exceedances(const Levels *l, int first, int step, double at[]);
/* Shares of equal bins between the outer quantiles of the law, .001 and .999; from F at the median's weights. */
void levels_fill_histogram(const Levels *l, int column, double to[]);
PetscErrorCode LevelsAnswerFill(Levels *l);

/* multilevel_checkpoint.c */
PetscErrorCode LevelsSave(Levels *l);
PetscErrorCode LevelsRestore(Levels *l);
/* Core seconds of all ranks and starts: (K + 1).  Collective. */
PetscErrorCode LevelsSeconds(const Levels *l, double seconds[]);
/* Empty sums for all groups of the plan; those, in place of what there are. */
PetscErrorCode LevelsGroupsCreate(Levels *l);
PetscErrorCode LevelsGroupsRenew(Levels *l);
PetscErrorCode LevelsGroupsDestroy(Levels *l);

#endif
