/* Scaling: the table of a scaling study (scaling.csv, made by jobs/scaling_collect.sh), and a figure of its commands.
 */
#include "report_logs.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns that are shown, as the file names them. */
enum { STUDY, COMMAND, PHASE, KIND, UNIT, TEXTS };
static const char *const text_columns[TEXTS] = {"study", "command", "phase", "kind", "unit"};
static const char *const number_columns[]    = {
       [REPORT_SCALING_RANKS]      = "ranks",
       [REPORT_SCALING_NODES]      = "nodes",
       [REPORT_SCALING_SECONDS]    = "seconds",
       [REPORT_SCALING_SPREAD]     = "spread",
       [REPORT_SCALING_RATE]       = "items_per_second_per_node",
       [REPORT_SCALING_EFFICIENCY] = "efficiency",
       [REPORT_SCALING_ROOFLINE]   = "roofline_share",
       [REPORT_SCALING_PREDICTED]  = "predicted_seconds",
       [REPORT_SCALING_RATIO]      = "predicted_over_measured",
};

/* Cuts the next cell off a line; NULL at its end. */
static char *next_cell(char **line)
{
  char *cell = *line;
  if (!cell) return NULL;
  char *end = strchr(cell, ',');
  if (end) *end = 0;
  *line = end ? end + 1 : NULL;
  return cell;
}

/* Where the columns stand in the file: of a text, of a number, or -1. */
#define COLUMNS_MOST 64
typedef struct {
  int n, text[COLUMNS_MOST], number[COLUMNS_MOST];
} Header;

static int find_name(const char *name, const char *const names[], int n)
{
  for (int i = 0; i < n; i++)
    if (!strcmp(name, names[i])) return i;
  return -1;
}

/* Whether all columns are there. */
static bool read_header(char *line, Header *h)
{
  int found = 0;
  h->n      = 0;
  for (const char *cell; h->n < COLUMNS_MOST && (cell = next_cell(&line)); h->n++) {
    h->text[h->n]   = find_name(cell, text_columns, TEXTS);
    h->number[h->n] = find_name(cell, number_columns, REPORT_SCALING_NUMBERS);
    found += h->text[h->n] >= 0 || h->number[h->n] >= 0;
  }
  return found == TEXTS + REPORT_SCALING_NUMBERS;
}

static void read_row(char *line, const Header *h, ReportScalingRow *row)
{
  char kind[16] = "";
  *row          = (ReportScalingRow){.study = ""};
  for (int k = 0; k < REPORT_SCALING_NUMBERS; k++) row->value[k] = NAN;
  for (int c = 0; c < h->n; c++) {
    const char *cell = next_cell(&line);
    char *end;
    if (!cell) return;
    if (h->text[c] == STUDY) snprintf(row->study, sizeof row->study, "%s", cell);
    if (h->text[c] == COMMAND) snprintf(row->command, sizeof row->command, "%s", cell);
    if (h->text[c] == PHASE) snprintf(row->phase, sizeof row->phase, "%s", cell);
    if (h->text[c] == UNIT) snprintf(row->unit, sizeof row->unit, "%s", cell);
    if (h->text[c] == KIND) snprintf(kind, sizeof kind, "%s", cell);
    if (h->number[c] < 0 || !*cell) continue;
    const double value = strtod(cell, &end);
    if (!*end) row->value[h->number[c]] = value;
  }
  row->measured = !strcmp(kind, "measured");
}

PetscErrorCode ReportScalingParse(const char *csv, ReportScaling *scaling)
{
  char *copy, *rest, *line;
  Header header = {.n = 0};
  int64_t lines = 0;
  PetscFunctionBeginUser;
  *scaling = (ReportScaling){.n = 0};
  if (!csv) PetscFunctionReturn(0);
  PetscCall(PetscStrallocpy(csv, &copy));
  for (const char *at = copy; *at; at++) lines += *at == '\n';
  line             = strtok_r(copy, "\n", &rest);
  scaling->strange = !line || !read_header(line, &header);
  PetscCall(PetscMalloc1(lines + 1, &scaling->row));
  while (!scaling->strange && (line = strtok_r(NULL, "\n", &rest)))
    read_row(line, &header, &scaling->row[scaling->n++]);
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportScalingDestroy(ReportScaling *scaling)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(scaling->row));
  *scaling = (ReportScaling){.n = 0};
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ table ---- */

static PetscErrorCode Cell(ReportText *html, double value, bool share)
{
  char text[64];
  PetscFunctionBeginUser;
  if (isfinite(value) && share)
    snprintf(text, sizeof text, "%.1f %%", 100 * value);
  else
    report_number(value, sizeof text, text);
  PetscCall(ReportPrint(html, "<td class=\"n\">"));
  PetscCall(ReportEscape(html, text));
  PetscCall(ReportPrint(html, "</td>"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Row(ReportText *html, const ReportScalingRow *row, bool titled)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<tr><td>"));
  if (titled) PetscCall(ReportEscape(html, row->command));
  PetscCall(ReportPrint(html, "</td><td>"));
  PetscCall(ReportEscape(html, row->phase));
  PetscCall(ReportPrint(html, "</td>"));
  for (int k = 0; k < REPORT_SCALING_NUMBERS; k++) {
    const bool share = k == REPORT_SCALING_SPREAD || k == REPORT_SCALING_EFFICIENCY || k == REPORT_SCALING_ROOFLINE;
    PetscCall(Cell(html, row->value[k], share));
    if (k != REPORT_SCALING_RATE) continue;
    PetscCall(ReportPrint(html, "<td>"));
    if (isfinite(row->value[k])) PetscCall(ReportEscape(html, row->unit));
    PetscCall(ReportPrint(html, "</td>"));
  }
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportScalingTable(const ReportScaling *scaling, ReportText *html)
{
  const char *command = "";
  PetscFunctionBeginUser;
  if (scaling->strange)
    PetscCall(ReportPrint(html, "<p>scaling.csv is there, but is not a table of jobs/scaling_collect.sh.</p>\n"));
  if (!scaling->n) PetscFunctionReturn(0);
  PetscCall(ReportPrint(
      html,
      "<p>%s scaling. Seconds of the slowest rank, median of the repetitions, with their spread; efficiency against "
      "the "
      "first number of ranks; share of what the machine's matrix products, memory or file system could do; prediction "
      "of a model from the first number of ranks.</p>\n<div class=\"scroll\"><table>\n<thead><tr><th>command</th>"
      "<th>phase</th><th class=\"n\">ranks</th><th class=\"n\">nodes</th><th class=\"n\">seconds</th><th "
      "class=\"n\">spread</th><th class=\"n\" colspan=\"2\">per second and node</th><th class=\"n\">efficiency</th><th "
      "class=\"n\">roofline</th><th class=\"n\">predicted</th><th class=\"n\">predicted / measured</th></tr></thead>\n",
      strcmp(scaling->row[0].study, "weak") ? "Strong" : "Weak"));
  for (int64_t i = 0; i < scaling->n; i++) {
    const ReportScalingRow *row = &scaling->row[i];
    if (!row->measured) continue;
    PetscCall(Row(html, row, strcmp(command, row->command) != 0));
    command = row->command;
  }
  PetscCall(ReportPrint(html, "</table></div>\n"));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- figure ---- */

#define COMMANDS_MOST 6 /* line styles */

static int list_commands(const ReportScaling *scaling, const char *command[COMMANDS_MOST])
{
  int n = 0;
  for (int64_t i = 0; i < scaling->n; i++) {
    int c = 0;
    while (c < n && strcmp(command[c], scaling->row[i].command)) c++;
    if (c == n && n < COMMANDS_MOST) command[n++] = scaling->row[i].command;
  }
  return n;
}

/* Lines of a command: units, measured seconds, predicted seconds, efficiency measured and predicted [%]; the whole
 * command on its first number of ranks begins the prediction. */
static PetscErrorCode CommandLines(const ReportScaling *scaling, const char *command, int unit, ReportText *data)
{
  bool first = true;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < scaling->n; i++) {
    const ReportScalingRow *row = &scaling->row[i];
    if (strcmp(row->command, command) || strcmp(row->phase, "elapsed")) continue;
    const double seconds = row->value[REPORT_SCALING_SECONDS], efficiency = 100 * row->value[REPORT_SCALING_EFFICIENCY],
                 expected = first ? seconds : row->value[REPORT_SCALING_PREDICTED];
    PetscCall(ReportPrint(data, "%g %g %g %g %g\n", row->value[unit], seconds, expected,
                          row->measured ? efficiency : NAN, first || !row->measured ? efficiency : NAN));
    first = false;
  }
  PetscCall(ReportPrint(data, "\n\n"));
  PetscFunctionReturn(0);
}

/* The unit is the node where several were used. */
static int choose_unit(const ReportScaling *scaling)
{
  for (int64_t i = 0; i < scaling->n; i++)
    if (scaling->row[i].measured && scaling->row[i].value[REPORT_SCALING_NODES] > 1) return REPORT_SCALING_NODES;
  return REPORT_SCALING_RANKS;
}

static PetscErrorCode Panel(ReportText *body, const char *const command[], int n, int column, const char *settings)
{
  static const int style[COMMANDS_MOST] = {1, 2, 3, 5, 6, 4};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body, "%s\nplot ", settings));
  for (int c = 0; c < n; c++)
    PetscCall(ReportPrint(body,
                          "%s'data/scaling.dat' index %d using 1:%d with linespoints linestyle %d pointtype 7 title "
                          "'%s', '' index %d using 1:%d with lines linestyle %d dashtype (8,5) notitle",
                          c ? ", " : "", c, column, style[c], command[c], c, column + 1, style[c]));
  PetscCall(ReportPrint(body, "\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawScaling(ReportFigures *figs, const ReportScaling *scaling)
{
  const char *command[COMMANDS_MOST];
  const int n = list_commands(scaling, command), unit = choose_unit(scaling);
  ReportText body = {0}, data = {0};
  char label[COMMANDS_MOST][32];
  const char *labels[COMMANDS_MOST];
  PetscFunctionBeginUser;
  if (!n) PetscFunctionReturn(0);
  for (int c = 0; c < n; c++) {
    PetscCall(CommandLines(scaling, command[c], unit, &data));
    plain_label(command[c], sizeof label[c], label[c]);
    labels[c] = label[c];
  }
  PetscCall(ReportFiguresData(figs, "scaling.dat", &data));
  PetscCall(ReportPrint(&body,
                        "set multiplot layout 1,2\nset logscale x 2\nset format x '%%.0f'\nset xtics 1,8\nset xlabel "
                        "'%s'\nset grid xtics ytics linecolor rgb '#EEEEEE'\nset key bottom left\n",
                        number_columns[unit]));
  PetscCall(Panel(&body, labels, n, 2, "set logscale y\nset format y '10^{%L}'\nset ylabel 'seconds'"));
  PetscCall(
      Panel(&body, labels, n, 4,
            "unset logscale y\nset format y '%.0f'\nset yrange [0:130]\nset ylabel 'efficiency  [%]'\nunset key"));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  PetscCall(ReportFiguresDraw(figs, "scaling", 1180, 420, &body, "Scaling of the commands",
                              "Seconds of the slowest rank and efficiency against the number of ranks, or of nodes "
                              "where several were used. Points: measured. Dashed: predicted by a model from the first "
                              "of them."));
  PetscCall(ReportTextDestroy(&data));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
