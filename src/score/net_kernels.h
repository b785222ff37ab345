/* Per precision: what every network kind implements, and the trunk that they share; see net.h. */

/* work is zeroed once by its owner.  shared: label and u are those of the whole tile. */
typedef void K(net_forward_fn)(const NetPlan *plan, const real param[], const real basis[], real work[], int B,
                               const real x[], const real label[], const real u[], bool shared, real F[]);
/* The parameters with every matrix transposed where it stands: what a backward pass reads. */
void K(net_transpose)(const NetPlan *plan, const real param[], real transposed[]);
/* Reads what forward left in work; adds to grad, to its matrices after a factor `keep`; dx may be NULL. */
typedef void K(net_backward_fn)(const NetPlan *plan, const real transposed[], const real basis[], real grad[],
                                real keep, real work[], int B, const real dF[], real dx[]);

K(net_forward_fn) K(modes_forward), K(cnn1d_forward);
K(net_backward_fn) K(modes_backward), K(cnn1d_backward);

/* From h in the work arena to t of the last edge; and from dt of the last edge back to dh. */
void K(trunk_forward)(const NetPlan *plan, const real param[], real work[], int B, const real label[], const real u[],
                      bool shared);
void K(trunk_backward)(const NetPlan *plan, const real transposed[], real grad[], real keep, real work[], int B);
