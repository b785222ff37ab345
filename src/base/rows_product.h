/* la_rows_product (linalg.h) by level of instructions. */
#ifndef SCORIA_BASE_ROWS_PRODUCT_H
#define SCORIA_BASE_ROWS_PRODUCT_H

#include "scoria/processor.h"

typedef void RowsProduct(int64_t n, int p, int q, const double X[], const double B[], const double add[], double out[]);
RowsProduct LEVELS(rows_product);

#endif
