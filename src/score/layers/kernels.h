/* The layers' kernels, included once per precision, as members of a table and as functions; see layers.h.  Gradients of
 * parameters are added to, those of matrices after a factor `keep` (0 or 1) that saves a pass of zeroing; gradients of
 * inputs are written unless said otherwise. */

/* product: out (n, N) = or, where add is true, += in (n, K) W (K, N).  product_of_tall: out (K, N) = keep out + in (n,
 * K)^T other (n, N). */
void KERNEL(product)(real out[], bool add, const real in[], const real W[], int n, int nin, int nout);
void KERNEL(product_of_tall)(real out[], real keep, const real in[], const real other[], int n, int nin, int nout);

/* transpose: out (N, K) = the transpose of in (K, N). */
void KERNEL(transpose)(real out[], const real in[], int nin, int nout);

/* linear: out (n, N) = in (n, K) W (K, N) + b (N); b may be NULL. */
void KERNEL(linear_forward)(real out[], const real in[], const real W[], const real b[], int n, int nin, int nout);
/* din (n, K) += or = dout transposed (NULL: not wanted), transposed (N, K) = W^T, dW = keep dW + in^T dout, db +=
 * column sums of dout (NULL: no bias).
 */
void KERNEL(linear_backward)(real din[], bool add, real dW[], real keep, real db[], const real dout[], const real in[],
                             const real transposed[], int n, int nin, int nout);

/* conv1d: out[t] = sum_k in[t + k - (taps - 1)/2] W_k, W (taps, K, N), zero beyond a sample's ends; taps odd, gap >=
 * (taps - 1)/2.  add: adds to out.  Gap rows of out get numbers without meaning. */
void KERNEL(conv1d_forward)(real out[], bool add, const real in[], const real W[], Tall t, int taps, int nin, int nout);
/* transposed (taps, N, K): every W_k^T.  Gap rows of dout and in must be zero; din is overwritten. */
void KERNEL(conv1d_backward)(real din[], real dW[], real keep, const real dout[], const real in[],
                             const real transposed[], Tall t, int taps, int nin, int nout);

/* silu: out = a + bias times its logistic function; a (n) is replaced by the slope d out / d a, which backward needs,
 * where slope is true.  Gap rows of out become 0. */
void KERNEL(silu_forward)(real out[], real a[], bool slope, const real bias[], Tall t, int width);
/* dout is replaced by da = dout * slope, gap rows by 0; dbias += column sums of da. */
void KERNEL(silu_backward)(real dout[], real dbias[], const real slope[], Tall t, int width);

/* norm_film: n = h / rms(h) over the width, out = silu((1 + gamma) n + beta), film (groups, 2 width) = (gamma, beta)
 * per sample, or one row for all where film_stride is 0.  Keeps n where it is not NULL, the reciprocal rms (per row)
 * and, where slope is not NULL, the slope of the silu.  Gap rows of out become 0.  bias (NULL: none) is added to h for
 * the residual that follows. */
void KERNEL(norm_film_forward)(real out[], real n[], real rrms[], real slope[], real h[], const real bias[],
                               const real film[], int film_stride, Tall t, int width);
/* dh (added to, or written with gap rows 0), dfilm (groups, 2 width) written; dbias += column sums of the dh that came
 * in (NULL: none); dout is used as workspace. */
void KERNEL(norm_film_backward)(real dh[], bool add, real dfilm[], real dbias[], real dout[], const real n[],
                                const real rrms[], const real slope[], const real film[], Tall t, int width);

/* embed: features (B, embed_features_count(d)) of the noise label (B) and unit conditions u (B, d): the values, and
 * sines and cosines of multiples of pi/2 times the values. */
void KERNEL(embed_features)(real out[], const real label[], const real u[], int B, int d);

/* out (width) += column sums of in (n, width). */
void KERNEL(column_sums)(real out[], const real in[], int n, int width);
