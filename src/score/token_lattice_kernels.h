/* Per precision, for B samples of rows (tokens, width). */

/* The halo repeats the places; and the gradient of a halo goes to the places, itself becoming 0. */
void K(lattice_wrap)(const TokenLattice *lattice, int B, int width, real rows[]);
void K(lattice_fold)(const TokenLattice *lattice, int B, int width, real rows[]);
/* Rows of the places alone (places, width), to and from tokens, whose halo is 0. */
void K(lattice_put)(const TokenLattice *lattice, int B, int width, const real places[], real rows[]);
void K(lattice_take)(const TokenLattice *lattice, int B, int width, const real rows[], real places[]);
/* out = or, where add is true, += the convolution of in with W (taps, width, width), the halo wrapped; in single
 * precision with `packed` (packed.h) in its place where that is not NULL. */
void K(lattice_conv_forward)(const TokenLattice *lattice, real out[], bool add, const real in[], const real W[],
                             const uint16_t packed[], int B, int width);
/* dout is folded; din is written, dW = keep dW + ... */
void K(lattice_conv_backward)(const TokenLattice *lattice, real din[], real dW[], real keep, real dout[],
                              const real in[], const real transposed[], int B, int width);
