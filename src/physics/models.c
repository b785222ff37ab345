/* The models this program knows, one line each; a new one is a file in models/ and a line here. */
#include "internal.h"

const ScoriaProblem *const scoria_models[] = {&scoria_linear, &scoria_newman, NULL};
