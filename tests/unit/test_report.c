/* The report: escaping, tables, the training log, and a page that asks the network for nothing.  ranks: 2 */
#include "testing.h"
#include "report/report_page.h"
#include "scoria/report.h"
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const json =
    "{\"pooled\":{\"model\":{\"mean_error\":0.0312,\"sd_error\":0.02,\"sd_bias\":-0.0081,\"band_error\":0.022,"
    "\"coverage95\":0.9481,\"w1\":0.025,\"sliced_w\":0.021,\"covariance_error\":0.04},"
    "\"gaussian\":{\"mean_error\":0.0444,\"coverage95\":0.91},\"floor\":{\"mean_error\":0.0287}},"
    "\"cost\":{\"seconds_pde\":3e-4,\"seconds_model\":2e-5,\"sampler\":\"<script>ab2\"},"
    "\"worth\":{\"seconds_pde\":3e-4,\"seconds_model\":2e-5,\"seconds_data\":70,\"seconds_training\":14,"
    "\"training_rows\":100000,\"break_even_samples\":300123.4,\"winner\":\"model\",\"sentence\":\"for errors of 0.02 "
    "SD use "
    "x\",\"tolerance\":0.02,\"ways\":[{\"name\":\"x\",\"seconds_once\":0,\"seconds_each\":3060,\"bias\":0,\"bias_of\":"
    "\"\"}],\"quantities\":[{\"name\":\"max_c\","
    "\"unit\":\"mol "
    "m^-3\",\"description\":\"\",\"sd\":44.4,\"estimates\":[{\"name\":\"mean\",\"error_of_one\":1,\"bias\":"
    "-0.0123,\"bias_floor\":0.0234,\"bias_upper\":0.0345,\"break_even_conditions\":55.5}]}]},"
    "\"symmetries\":[{\"name\":\"shift\",\"model\":0.021,\"pde\":1.5e-12,\"unit\":\"SD\",\"help\":\"a <law>\"}],"
    "\"memorisation\":{\"median_ratio\":0.987,\"share_nearer\":0.0123,\"share_expected\":0.01,\"share_se\":0.002,"
    "\"samples\":500,"
    "\"training_rows\":4096},"
    "\"conditions\":[{\"U0\":0.1234,\"F_right\":12.5,\"ell\":8.4e-6,\"failed_pde\":3,\"model\":{\"sliced_w\":0.0123},"
    "\"gaussian\":{\"sliced_w\":0.0777},\"floor\":{\"sliced_w\":0.0111}}]}";

static const ScoriaSpace space = {
    .n = 3, .c = {{"U0", "V", 0.1, 0.2, false}, {"F_right", "A m^-2", 5, 20, false}, {"ell", "m", 5e-6, 2e-5, true}}};

static void expect_in(const ReportText *text, const char *part)
{
  if (!text->s || !strstr(text->s, part)) fail_msg("expected \"%s\" in\n%s", part, text->s ? text->s : "(nothing)");
}

static void expect_not_in(const ReportText *text, const char *part)
{
  if (text->s && strstr(text->s, part)) fail_msg("found \"%s\" in\n%.400s", part, strstr(text->s, part));
}

static void escapes_what_html_reads(void **state)
{
  ReportText text = {0};
  (void)state;
  CHECK(ReportEscape(&text, "a<b>&\"'\xcf\x86"));
  assert_string_equal(text.s, "a&lt;b&gt;&amp;&quot;&#39;\xcf\x86");
  CHECK(ReportTextDestroy(&text));
}

static void text_grows(void **state)
{
  ReportText text = {0};
  (void)state;
  for (int i = 0; i < 3000; i++) CHECK(ReportPrint(&text, "%04d", i));
  assert_int_equal(text.n, 12000);
  assert_int_equal(strlen(text.s), 12000);
  assert_memory_equal(text.s + 4 * 2999, "2999", 4);
  CHECK(ReportTextDestroy(&text));
}

static void labels_hold_no_markup(void **state)
{
  char label[8];
  (void)state;
  plain_label("a`b'\"{\\x", sizeof label, label);
  assert_string_equal(label, "a b    "); /* cut to the room that there is */
}

static void quantities_are_written_in_type(void **state)
{
  ReportQuantity q;
  ReportText text      = {0};
  const double theta[] = {0.15, 12, 8.4e-6};
  (void)state;
  report_quantity("phi_s", "V", 0.3, &q);
  assert_string_equal(q.label, "\u03c6_{s}");
  assert_string_equal(q.unit, "mV");
  assert_true(q.scale == 1e3);
  report_quantity("c", "mol m^-3", 1e-9, &q); /* no prefix goes in front of mol */
  assert_string_equal(q.unit, "mol m^{-3}");
  assert_true(q.scale == 1);
  report_quantity("j", "A m^-3", 2.5e5, &q); /* six digits at an axis cut its label off */
  assert_string_equal(q.axis, "j  [10^{3} A m^{-3}]");
  assert_true(2.5e5 * q.scale == 250);
  report_quantity("T", "", 0, &q);
  assert_string_equal(q.unit, "");
  report_quantity("min_phi", "V", 2, &q); /* what is set below is a field, too */
  assert_string_equal(q.label, "min_{\u03c6}");
  report_quantity("max_i_e", "A m^-2", 2, &q);
  assert_string_equal(q.label, "max_{i_{e}}");
  CHECK(ReportEnhanced(&text, q.label));
  assert_string_equal(text.s, "max<sub>i<sub>e</sub></sub>");
  CHECK(ReportTextDestroy(&text));
  report_quantity("c_at_the_end", "", 2, &q);
  assert_string_equal(q.label, "c_{at the end}");
  CHECK(ReportConditionTitle(&text, &space, theta, 1));
  assert_string_equal(text.s, "U_{0} = 0.150 V,  F_{right} = 12.0 A m^{-2},  \u2113 = 8.4 \u00b5m");
  CHECK(ReportTextDestroy(&text));
}

static void training_log_is_read(void **state)
{
  ReportTraining train;
  (void)state;
  CHECK(ReportTrainingParse(
      "{\"step\":1,\"loss\":0.9,\"lr\":1e-3,\"seconds\":0.5}\n\n"
      "{\"step\":2,\"loss\":0.8,\"validation\":0.85,\"lr\":2e-3,\"seconds\":1}\n{\"step\":2,\"kept_step\":1,"
      "\"averages\":[],\"width\":0.07,\"kept_validation\":0.75}\n{\"step\":3,\"lo",
      &train));
  assert_int_equal(train.n, 2);
  assert_int_equal(train.unread, 1);
  assert_true(train.loss[0] == 0.9 && train.step[1] == 2 && train.validation[1] == 0.85 && train.lr[1] == 2e-3);
  assert_true(isnan(train.validation[0]));
  assert_true(train.kept_step == 1 && train.kept_loss == 0.75 && train.width == 0.07);
  CHECK(ReportTrainingDestroy(&train));
  CHECK(ReportTrainingParse(NULL, &train));
  assert_int_equal(train.n, 0);
  CHECK(ReportTrainingDestroy(&train));
}

/* The panels of one to six fields: inside of their figure, below its head, and apart from each other, with room for the
 * axis of x below each. */
static void panels_of_fields_have_their_places(void **state)
{
  enum { HEAD = 75, AXIS = 50 };
  (void)state;
  for (int n = 1; n <= REPORT_FIELDS; n++) {
    const double height = report_fields_height(n, HEAD);
    double left[REPORT_FIELDS], right[REPORT_FIELDS], top[REPORT_FIELDS], bottom[REPORT_FIELDS];
    for (int i = 0; i < n; i++) {
      ReportText text = {0};
      CHECK(ReportFieldPanel(&text, i, n, HEAD));
      assert_int_equal(sscanf(text.s,
                              "set lmargin at screen %lf\nset rmargin at screen %lf\nset tmargin at screen %lf\nset "
                              "bmargin at screen %lf",
                              &left[i], &right[i], &top[i], &bottom[i]),
                       4);
      CHECK(ReportTextDestroy(&text));
      assert_true(left[i] > 0.05 && right[i] < 1 && right[i] > left[i] + 0.1);
      assert_true(top[i] * height < height - HEAD + 1 && bottom[i] * height > AXIS && top[i] > bottom[i]);
      for (int j = 0; j < i; j++) assert_true(left[i] > right[j] + 0.05 || top[i] * height < bottom[j] * height - AXIS);
    }
  }
}

static void tables_show_the_numbers(void **state)
{
  ReportText html = {0};
  cJSON *compare  = cJSON_Parse(json);
  (void)state;
  assert_non_null(compare);
  CHECK(ReportPooledTable(compare, &html));
  expect_in(&html, "<td class=\"n\">0.0312</td><td class=\"n\">0.0444</td><td class=\"n\">0.0287</td>");
  expect_in(&html, "<td class=\"n\">94.8&nbsp;%</td><td class=\"n\">91.0&nbsp;%</td>");
  expect_in(&html, "<td class=\"n\">-0.81&nbsp;%</td><td class=\"n\">\u2013</td>"); /* absent: a dash, never a number */
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportConditionTable(compare, &space, &html));
  expect_in(&html,
            "<td class=\"n\">0.1234</td><td class=\"n\">12.50</td><td class=\"n\">8.40</td><td class=\"n\">3</td>");
  expect_in(&html, "U<sub>0</sub> <span class=\"u\">[V]</span></th><th class=\"n\">F<sub>right</sub> <span "
                   "class=\"u\">[A m<sup>-2</sup>]</span></th><th class=\"n\">\u2113 <span class=\"u\">[\u00b5m]");
  expect_in(&html, "<td class=\"n\">0.0123</td><td class=\"n\">0.0777</td><td class=\"n\">0.0111</td>");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportHeadline(compare, &html));
  expect_in(&html, "<b>15</b>"); /* 3e-4 / 2e-5 */
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportCostTable(compare, &html));
  expect_in(&html, "&lt;script&gt;ab2");
  expect_not_in(&html, "<script>");
  CHECK(ReportTextDestroy(&html));
  cJSON_Delete(compare);
}

static void quantities_have_their_error(void **state)
{
  ReportText html = {0};
  cJSON *uq =
      cJSON_Parse("{\"source\":\"model\",\"conditions\":[{\"U0\":0.175,\"zeta\":2,\"samples\":1000,\"quantities\":{"
                  "\"max_c\":{\"unit\":\"mol "
                  "m^-3\",\"mean\":1404.9412,\"mean_se\":0.4564,\"sd\":144.3,\"sd_se\":null,\"quantiles\":"
                  "[{\"p\":0.025,\"value\":1217,\"se\":21}]},\"<b>\":{\"mean\":1}}}]}");
  (void)state;
  assert_non_null(uq);
  CHECK(ReportUqTable(uq, &space, &html));
  expect_in(&html, ">at U<sub>0</sub> = 0.175 V, zeta 2</th>");
  expect_in(&html, "<td class=\"u\">mol m<sup>-3</sup></td><td class=\"n\">1404.94&nbsp;&plusmn;&nbsp;0.46</td>"
                   "<td class=\"n\">144.3</td><td class=\"n\">1217&nbsp;&plusmn;&nbsp;21</td>");
  expect_in(&html, "&lt;b&gt;");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportUqTable(NULL, &space, &html));
  assert_int_equal(html.n, 0);
  cJSON_Delete(uq);
}

/* The verdict follows "winner"; what is null is not told as a number. */
static void worth_is_said_in_words(void **state)
{
  ReportText html = {0};
  cJSON *compare = cJSON_Parse(json), *worth = cJSON_GetObjectItem(compare, "worth");
  (void)state;
  CHECK(ReportWorthTable(compare, &html));
  expect_in(&html, "For many samples, at errors above its own bias, the model wins");
  expect_in(&html, "301000 samples, 3 times the training set"); /* no fewer, in three digits */
  expect_in(&html, "<b>For errors of 0.02 SD use x</b>");
  expect_in(&html, "<td class=\"n\">0 s</td><td class=\"n\">3060 s</td>");
  expect_in(&html, "<td class=\"n\">44.4</td><td class=\"n\">1</td><td class=\"n\">-0.0123</td>");
  expect_in(&html, "<td class=\"n\">56</td>"); /* no fewer than 55.5 conditions */
  CHECK(ReportTextDestroy(&html));
  cJSON_SetValuestring(cJSON_GetObjectItem(worth, "winner"), "pde");
  cJSON_ReplaceItemInObject(worth, "break_even_samples", cJSON_CreateNull());
  cJSON_ReplaceItemInObject(worth, "seconds_model", cJSON_CreateNumber(4e-4));
  CHECK(ReportWorthTable(compare, &html));
  expect_in(&html, "The PDE wins");
  expect_in(&html, "never paid back");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportChecks(compare, &html));
  expect_in(&html, "a &lt;law&gt;</td><td class=\"n\">0.021</td><td class=\"n\">1.5e-12</td>");
  expect_in(&html, "0.987 times");
  CHECK(ReportTextDestroy(&html));
  cJSON_Delete(compare);
}

static void tables_of_nothing_are_nothing(void **state)
{
  ReportText html    = {0};
  ReportDataset data = {0};
  (void)state;
  CHECK(ReportPooledTable(NULL, &html));
  CHECK(ReportWorthTable(NULL, &html));
  CHECK(ReportChecks(NULL, &html));
  CHECK(ReportConditionTable(NULL, &space, &html));
  CHECK(ReportCostTable(NULL, &html));
  CHECK(ReportHeadline(NULL, &html));
  CHECK(ReportStatusTable(&data, &html));
  assert_int_equal(html.n, 0);
}

static const char scaling_csv[] =
    "study,command,phase,model,kind,ranks,nodes,repetitions,seconds,spread,mean_seconds,items,unit,items_per_second,"
    "items_per_second_per_node,efficiency,roofline_share,roof,predicted_seconds,predicted_over_measured\n"
    "weak,train,<step>,parallel,measured,2,1,3,4.5,0.125,4,1000,rows,222,222,0.875,0.5,gemm,4,0.889\n"
    "weak,train,elapsed,sum,measured,2,1,3,9,0.01,9,0,commands,,,1,,,,\n"
    "weak,train,elapsed,sum,predicted,4,1,0,,,,0,commands,,,0.5,,,18,\n";

static void scaling_is_told(void **state)
{
  ReportText html = {0};
  ReportScaling scaling;
  (void)state;
  CHECK(ReportScalingParse(scaling_csv, &scaling));
  assert_int_equal(scaling.n, 3);
  assert_true(scaling.row[0].measured && !scaling.row[2].measured);
  assert_true(scaling.row[2].value[REPORT_SCALING_PREDICTED] == 18 &&
              isnan(scaling.row[2].value[REPORT_SCALING_SECONDS]));
  CHECK(ReportScalingTable(&scaling, &html));
  expect_in(&html, "Weak scaling");
  expect_in(&html, "<tr><td>train</td><td>&lt;step&gt;</td><td class=\"n\">2</td><td class=\"n\">1</td><td "
                   "class=\"n\">4.5</td><td class=\"n\">12.5 %</td>");
  expect_in(&html, "222</td><td>rows</td><td class=\"n\">87.5 %</td>");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportScalingDestroy(&scaling));
  CHECK(ReportScalingParse("a,b\n1,2\n", &scaling)); /* somebody else's */
  assert_int_equal(scaling.n, 0);
  CHECK(ReportScalingTable(&scaling, &html));
  expect_in(&html, "not a table of");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportScalingDestroy(&scaling));
  CHECK(ReportScalingParse(NULL, &scaling));
  CHECK(ReportScalingTable(&scaling, &html));
  assert_int_equal(html.n, 0);
  CHECK(ReportScalingDestroy(&scaling));
}

static void failures_are_counted(void **state)
{
  ReportText html    = {0};
  ReportDataset data = {.present = true, .conditions = 10, .done = 97, .failed = 3, .newton = 388, .newton_max = 9};
  (void)state;
  data.spec.rows         = 100;
  data.spec.realisations = 10;
  data.reason[6]         = 3;
  CHECK(ReportStatusTable(&data, &html));
  expect_in(&html, "reason -6: line search failed</td><td class=\"n\">3</td><td class=\"n\">3&nbsp;%</td>");
  expect_in(&html, "4.00, 9");
  CHECK(ReportTextDestroy(&html));
}

static void svg_goes_inline(void **state)
{
  ReportText html = {0};
  (void)state;
  CHECK(ReportInlineSvg(&html, "bands", "\"a\"",
                        "<?xml version=\"1.0\"?>\n<svg viewBox=\"0 0 1 1\"\n xmlns=\"http://www.w3.org/2000/svg\" "
                        "xmlns:xlink=\"http://www.w3.org/1999/xlink\"><title>bands</title><path id='p1'/>"
                        "<use xlink:href='#p1' color='rgb(  0, 114, 178)'/><g id=\"g\" clip-path=\"url(#c)\" "
                        "fill = 'rgb(1, 2, 3)' stroke=\"black\"/></svg>"));
  assert_memory_equal(html.s, "<svg role=\"img\" aria-label=\"&quot;a&quot;\" viewBox=\"0 0 1 1\"", 60);
  expect_not_in(&html, "xmlns");
  expect_not_in(&html, "http");
  expect_not_in(&html, "title");
  expect_in(&html, "<path id='bands-p1'/><use xlink:href='#bands-p1' color='var(--ink");
  expect_in(&html, "<g id=\"bands-g\" clip-path=\"url(#bands-c)\" fill = 'rgb(1, 2, 3)' stroke=\"var(--ink");
  CHECK(ReportTextDestroy(&html));
}

static void inks_are_told_apart(void **state)
{
  const int black[3] = {0, 0, 0}, blue[3] = {0, 0x72, 0xb2}, other[3] = {0, 0x72, 0xb3};
  (void)state;
  assert_true(report_ink(black) >= 0 && report_ink(blue) >= 0);
  assert_int_not_equal(report_ink(black), report_ink(blue));
  assert_int_equal(report_ink(other), -1); /* of a colour map: stays */
}

static void words_are_quoted_for_a_shell(void **state)
{
  ReportText html = {0};
  (void)state;
  CHECK(ReportShellWord(&html, "runs/quick-start_1"));
  assert_string_equal(html.s, "runs/quick-start_1");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportShellWord(&html, "a'b $(c)"));
  assert_string_equal(html.s, "&#39;a&#39;\\&#39;&#39;b $(c)&#39;");
  CHECK(ReportTextDestroy(&html));
}

static void history_is_read(void **state)
{
  ReportHistory history;
  ReportText log = {0};
  (void)state;
  report_history("{\"event\":\"start\",\"time\":\"t1\",\"command\":\"run\",\"version\":\"0.1\",\"ranks\":4}\n"
                 "{\"event\":\"end\",\"ok\":true}\n{\"event\":\"start\",\"command\":\"uq\",\"ranks\":3}\n{\"eve",
                 &history);
  assert_int_equal(history.n, 2);
  assert_true(history.start[0].ended && !history.start[1].ended);
  assert_string_equal(history.start[0].time, "t1");
  assert_int_equal(report_ranks(&history, "uq"), 3);
  assert_int_equal(report_ranks(&history, "train"), 4); /* run made it */
  for (int i = 0; i < REPORT_STARTS + 2; i++) CHECK(ReportPrint(&log, "{\"event\":\"start\",\"ranks\":%d}\n", i + 1));
  report_history(log.s, &history);
  assert_int_equal(history.n, REPORT_STARTS);
  assert_int_equal(history.total, REPORT_STARTS + 2);
  assert_int_equal(history.start[0].ranks, 3);
  CHECK(ReportTextDestroy(&log));
  report_history("{\"event\":\"kept\"}\n{\"event\":\"calibration\",\"mean_moved\":0.1,\"spread_moved\":0.2,"
                 "\"spread_widened\":-0.3}\n",
                 &history);
  assert_true(history.calibration.there && history.calibration.mean == 0.1 && history.calibration.spread == 0.2 &&
              history.calibration.widened == -0.3);
  report_history("{\"event\":\"calibration\",\"mean_moved\":0.1}\n{\"event\":\"kept\"}\n", &history);
  assert_false(history.calibration.there); /* of a model that another has replaced */
  report_history(NULL, &history);
  assert_int_equal(history.n, 0);
  assert_int_equal(report_ranks(&history, "uq"), 1);
}

static void what_has_no_room_is_left_out_and_told(void **state)
{
  char dir[]         = "/tmp/scoria-figures-XXXXXX", path[64];
  ReportFigures figs = {.n = 2};
  ReportPage page    = {.figures = &figs};
  ReportText html    = {0};
  FILE *file;
  (void)state;
  assert_non_null(mkdtemp(dir));
  snprintf(figs.dir, sizeof figs.dir, "%s", dir);
  for (int f = 0; f < 2; f++) {
    snprintf(figs.figure[f].name, sizeof figs.figure[f].name, "%s", f ? "small" : "large");
    snprintf(path, sizeof path, "%s/%s.svg", dir, figs.figure[f].name);
    assert_non_null(file = fopen(path, "w"));
    fprintf(file, "<svg><path d='%*s'/></svg>", f ? 10 : 5000, "");
    fclose(file);
  }
  CHECK(ReportFiguresEmbed(&figs, 1000));
  assert_true(figs.figure[0].size > 5000 && !figs.figure[0].svg.s && figs.figure[1].svg.s);
  CHECK(ReportPageFigure(&page, "large", &html));
  expect_in(&html, "Left out:");
  expect_in(&html, "figures/large.png");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportPageFigure(&page, "small", &html));
  expect_not_in(&html, "Left out:");
  expect_in(&html, "<path d=");
  CHECK(ReportTextDestroy(&html));
  CHECK(ReportFiguresDestroy(&figs));
  for (int f = 0; f < 2; f++) {
    snprintf(path, sizeof path, "%s/%s.svg", dir, f ? "small" : "large");
    assert_int_equal(remove(path), 0);
  }
  assert_int_equal(remove(dir), 0);
}

/* ------------------------------------------------------------------------------------------- one condition ---- */

/* c varies along x by more than it fluctuates, phi by much less; other stats do not matter. */
static void fill_one(ReportCompare *cmp, double c[5][4], double phi[5][4], double good[SCORIA_NFROM])
{
  static double theta[3] = {0.15, 12, 8.4e-6};
  *cmp = (ReportCompare){.K = 1, .L = 4, .space = space, .theta = theta, .good = good, .nchannels = 2};
  snprintf(cmp->field[0].name, sizeof cmp->field[0].name, "c");
  snprintf(cmp->field[1].name, sizeof cmp->field[1].name, "phi");
  snprintf(cmp->field[1].unit, sizeof cmp->field[1].unit, "V");
  for (int j = 0; j < 4; j++) {
    c[SCORIA_CURVE_MEAN][j]   = 2000 - 200 * j;
    c[SCORIA_CURVE_SD][j]     = 100;
    phi[SCORIA_CURVE_MEAN][j] = -5 - 1e-3 * j;
    phi[SCORIA_CURVE_SD][j]   = 0.3;
    phi[SCORIA_CURVE_Q975][j] = 2e-3 * j;
  }
  for (int v = 0; v < SCORIA_NVIEWS; v++)
    for (int side = 0; side < SCORIA_NFROM; side++)
      for (int s = 0; s < SCORIA_NCURVES; s++) {
        cmp->stat[v][side][0][s] = c[s];
        cmp->stat[v][side][1][s] = phi[s];
      }
}

static void what_fluctuates_as_a_whole_is_shown_relative(void **state)
{
  double c[5][4] = {{0}}, phi[5][4] = {{0}}, good[SCORIA_NFROM] = {20, 20, 20, 20};
  ReportCompare none = {0}, one;
  ReportView view;
  (void)state;
  fill_one(&one, c, phi, good);
  report_view(&none, &one, &view);
  assert_true(view.sample && view.n == 2);
  assert_int_equal(view.view[0], SCORIA_VIEW_FIELD);
  assert_int_equal(view.view[1], SCORIA_VIEW_RELATIVE);
  assert_string_equal(view.quantity[1].unit, "mV");
  report_view(&one, &none, &view);
  assert_true(!view.sample && view.n == 2);
  one.nchannels = 1; /* c alone: the bands show it */
  report_view(&one, &none, &view);
  assert_int_equal(view.n, 0);
  one.nchannels = 2;
  one.stat[SCORIA_VIEW_RELATIVE][SCORIA_FROM_PDE][0][SCORIA_CURVE_MEAN] =
      one.stat[SCORIA_VIEW_RELATIVE][SCORIA_FROM_PDE][1][SCORIA_CURVE_MEAN] = NULL;
  report_view(&none, &one, &view); /* as in files of old */
  assert_int_equal(view.n, 0);
  report_view(&none, &none, &view);
  assert_int_equal(view.n, 0);
}

/* ------------------------------------------------------------------------------------------- a whole page ---- */

enum { K = 3, L = 12 };

static void put(ScoriaStore store, const char *side, const char *channel, const char *stat, double offset,
                int64_t examples)
{
  char name[64];
  double values[K * 8 * L];
  const int64_t dims[3] = {K, examples ? examples : L, L}; /* (K, L), or (K, examples, L) */
  for (int i = 0; i < K * 8 * L; i++) values[i] = offset + 0.1 * sin(0.3 * i);
  snprintf(name, sizeof name, "/%s/%s/%s", side, channel, stat);
  CHECK(ScoriaStorePutReals(store, name, examples ? 3 : 2, dims, values, "", ""));
}

static void write_compare(const char *path)
{
  static const char *const sides[] = {"pde", "model", "gaussian", "pde_again"}, *const stats[] = {"q025", "mean",
                                                                                                  "q500", "q975", "sd"};
  static const char *const channels[] = {"c", "phi"};
  const double theta[3 * K]           = {0.1, 5, 5e-6, 0.2, 20, 2e-5, 0.15, 10, 1e-5};
  const int64_t dims[2] = {K, 3}, good_dims[2] = {K, 4}, cells = L;
  double x[L], good[K * 4];
  char relative[32];
  static const ScoriaField field[] = {{.name = "c", .unit = "mol m^-3", .description = "concentration"},
                                      {.name = "phi", .unit = "V", .description = "potential"}};
  ScoriaStore store;
  for (int i = 0; i < L; i++) x[i] = 1e-4 * (i + 0.5) / L;
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, path, "compare", "", &store));
  CHECK(ScoriaStorePutSpace(store, &space));
  CHECK(ScoriaStorePutFields(store, 2, field));
  CHECK(ScoriaStorePutReals(store, "/theta", 2, dims, theta, "", ""));
  CHECK(ScoriaStorePutReals(store, "/x", 1, &cells, x, "m", ""));
  for (int i = 0; i < K * 4; i++) good[i] = 1000 + i;
  CHECK(ScoriaStorePutReals(store, "/good", 2, good_dims, good, "", ""));
  for (int s = 0; s < 4; s++)
    for (int c = 0; c < 2; c++) {
      snprintf(relative, sizeof relative, "relative/%s", sides[s]);
      for (int q = 0; q < 5; q++) {
        put(store, sides[s], channels[c], stats[q], 1 + q, 0);
        put(store, relative, channels[c], stats[q], 1e-3 * (1 + q), 0);
      }
      if (s < 2) put(store, sides[s], channels[c], "examples", 1, 8);
    }
  CHECK(ScoriaStoreClose(&store));
}

static void write_file(const char *dir, const char *name, const char *text)
{
  char path[PETSC_MAX_PATH_LEN + 64];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  CHECK(ScoriaWriteText(PETSC_COMM_WORLD, path, text));
}

/* A directory with a name that HTML, gnuplot and a shell would each misread. */
static void make_run(char dir[PETSC_MAX_PATH_LEN], ScoriaDeck *deck, ScoriaRun *run)
{
  static const ScoriaKey *const tables[] = {scoria_base_keys, NULL};
  char text[PETSC_MAX_PATH_LEN + 64], path[PETSC_MAX_PATH_LEN + 64];
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  snprintf(dir, PETSC_MAX_PATH_LEN, "%s/scoria-report-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (rank == 0) assert_non_null(mkdtemp(dir));
  assert_int_equal(MPI_Bcast(dir, PETSC_MAX_PATH_LEN, MPI_CHAR, 0, PETSC_COMM_WORLD), MPI_SUCCESS);
  strcat(dir, "/<i>& $(id) `id`");
  snprintf(text, sizeof text, "run: {dir: \"%s\"}\n", dir);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, *deck, "report", run));
  write_file(dir, "compare.json", json);
  write_file(dir, "train.jsonl",
             "{\"step\":1,\"loss\":1,\"lr\":1e-3}\n{\"step\":2,\"loss\":0.5,\"validation\":0.6,\"lr\":1e-3}\n");
  write_file(dir, "scaling.csv", scaling_csv);
  snprintf(path, sizeof path, "%s/compare.h5", dir);
  write_compare(path);
}

static void end_run(const char *dir, ScoriaDeck *deck, ScoriaRun *run)
{
  char command[PETSC_MAX_PATH_LEN + 32];
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  CHECK(ScoriaRunDestroy(run));
  CHECK(ScoriaDeckDestroy(deck));
  snprintf(command, sizeof command, "rm -rf '%.*s'", (int)(strrchr(dir, '/') - dir), dir); /* what mkdtemp made */
  if (rank == 0 && system(command)) fail_msg("%s", command);
}

static void read_page(const char *dir, ReportText *html)
{
  char path[PETSC_MAX_PATH_LEN + 64];
  snprintf(path, sizeof path, "%s/report.html", dir);
  CHECK(ReportSlurp(path, html));
  assert_non_null(html->s);
}

/* Longer ones leave two columns, and of seven entries the first row is outside the figure. */
static void expect_short_titles(const char *dir)
{
  char path[PETSC_MAX_PATH_LEN + 64], line[4096];
  int titles = 0;
  snprintf(path, sizeof path, "%s/figures/data/worth.gp", dir);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file))
    for (const char *at = line; (at = strstr(at, "NaN with ")) && (at = strstr(at, "title '")); titles++) {
      at += strlen("title '");
      assert_true(strcspn(at, "'") <= 31);
    }
  fclose(file);
  assert_true(titles >= 5);
}

static void page_is_self_contained(void **state)
{
  static const char *const requests[] = {"http:",   "https:", "src=",  "@import", "<link",
                                         "<script", "<i>&",   "url(d", NULL};
  char dir[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN + 64];
  ScoriaDeck deck;
  ScoriaRun run;
  ReportText html = {0};
  struct stat info;
  (void)state;
  make_run(dir, &deck, &run);
  CHECK(ScoriaReportWrite(run, deck));
  read_page(dir, &html);
  for (int i = 0; requests[i]; i++) expect_not_in(&html, requests[i]);
  for (const char *at = html.s; (at = strstr(at, "href=")); at++)
    assert_int_equal(at[6], '#'); /* inside the page only */
  expect_in(&html, "&lt;i&gt;&amp; $(id) `id`");
  expect_in(&html, "prefers-color-scheme:dark");
  assert_true(html.n < 10000000);
  expect_short_titles(dir);
  if (!system("command -v gnuplot >/dev/null 2>&1")) {
    static const char *const names[] = {"bands",  "relative",     "measures", "worth",
                                        "spread", "fluctuations", "training", "scaling"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      snprintf(path, sizeof path, "%s/figures/%s.svg", dir, names[i]);
      assert_true(!stat(path, &info) && info.st_size > 1000);
    }
    expect_in(&html, "<svg");
  }
  CHECK(ReportTextDestroy(&html));
  MPI_Barrier(PETSC_COMM_WORLD);
  end_run(dir, &deck, &run);
}

static void page_without_gnuplot(void **state)
{
  char dir[PETSC_MAX_PATH_LEN], *path = strdup(getenv("PATH"));
  ScoriaDeck deck;
  ScoriaRun run;
  ReportText html = {0};
  (void)state;
  make_run(dir, &deck, &run);
  setenv("PATH", "/nonexistent", 1);
  CHECK(ScoriaReportWrite(run, deck));
  setenv("PATH", path, 1);
  free(path);
  read_page(dir, &html);
  expect_not_in(&html, "<svg");
  expect_in(&html, "<td class=\"n\">0.0312</td>");
  CHECK(ReportTextDestroy(&html));
  MPI_Barrier(PETSC_COMM_WORLD);
  end_run(dir, &deck, &run);
}

static void damaged_comparison_is_named(void **state)
{
  char dir[PETSC_MAX_PATH_LEN];
  ScoriaDeck deck;
  ScoriaRun run;
  (void)state;
  make_run(dir, &deck, &run);
  write_file(dir, "compare.json", "{\"pooled\":");
  assert_int_not_equal(ScoriaReportWrite(run, deck), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "compare.json"));
  ScoriaFailureReset();
  end_run(dir, &deck, &run);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(escapes_what_html_reads),
      cmocka_unit_test(text_grows),
      cmocka_unit_test(labels_hold_no_markup),
      cmocka_unit_test(quantities_are_written_in_type),
      cmocka_unit_test(training_log_is_read),
      cmocka_unit_test(panels_of_fields_have_their_places),
      cmocka_unit_test(tables_show_the_numbers),
      cmocka_unit_test(quantities_have_their_error),
      cmocka_unit_test(worth_is_said_in_words),
      cmocka_unit_test(tables_of_nothing_are_nothing),
      cmocka_unit_test(failures_are_counted),
      cmocka_unit_test(scaling_is_told),
      cmocka_unit_test(svg_goes_inline),
      cmocka_unit_test(inks_are_told_apart),
      cmocka_unit_test(words_are_quoted_for_a_shell),
      cmocka_unit_test(history_is_read),
      cmocka_unit_test(what_has_no_room_is_left_out_and_told),
      cmocka_unit_test(what_fluctuates_as_a_whole_is_shown_relative),
      cmocka_unit_test(page_is_self_contained),
      cmocka_unit_test(page_without_gnuplot),
      cmocka_unit_test(damaged_comparison_is_named),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
