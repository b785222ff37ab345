/* Where the numbers of the page come from: the history of the run directory, its files, versions, the deck. */
#include "report_page.h"
#include "scoria/run_files.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* -------------------------------------------------------------------------------------------------- history ---- */

static void copy_member(const cJSON *object, const char *name, size_t size, char text[])
{
  const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  snprintf(text, size, "%s", value ? value : "");
}

static void history_units(const cJSON *lines, ReportHistory *history)
{
  const cJSON *line;
  history->nunits    = 0;
  history->nsuspects = 0;
  cJSON_ArrayForEach(line, lines) if (cJSON_IsString(line) && history->nunits < REPORT_UNITS)
      snprintf(history->units[history->nunits++], sizeof history->units[0], "%s", line->valuestring);
}

/* One line of log.jsonl: a start adds an entry, in place of the oldest where there is no room; an end completes it. */
static void history_line(const char *line, size_t length, ReportHistory *history)
{
  cJSON *object = cJSON_ParseWithLength(line, length);
  char event[16];
  copy_member(object, LOG_EVENT, sizeof event, event);
  if (!strcmp(event, LOG_START)) {
    if (history->n == REPORT_STARTS)
      memmove(history->start, history->start + 1, (size_t)(--history->n) * sizeof *history->start);
    ReportStart *start = &history->start[history->n++];
    const double ranks = json_number(object, LOG_RANKS);
    *start             = (ReportStart){.ranks = ranks >= 1 ? (int)ranks : 1};
    copy_member(object, LOG_TIME, sizeof start->time, start->time);
    copy_member(object, LOG_COMMAND, sizeof start->command, start->command);
    copy_member(object, LOG_VERSION, sizeof start->version, start->version);
    history->total++;
  } else if (!strcmp(event, LOG_END) && history->n)
    history->start[history->n - 1].ended = true;
  else if (!strcmp(event, LOG_UNITS))
    history_units(cJSON_GetObjectItemCaseSensitive(object, LOG_LINES), history);
  else if (!strcmp(event, LOG_SUSPECT) && history->nsuspects < REPORT_UNITS)
    copy_member(object, LOG_LINE, sizeof history->suspects[0], history->suspects[history->nsuspects++]);
  else if (!strcmp(event, LOG_CORRECT)) {
    history->cheap.there         = true;
    history->cheap.used          = json_number(object, LOG_USED) > 0;
    history->cheap.rows          = json_number(object, LOG_CHEAP);
    history->cheap.pairs         = json_number(object, LOG_PAIRS);
    history->cheap.off           = json_number(object, LOG_OFF);
    history->cheap.off_corrected = json_number(object, LOG_OFF_CORRECTED);
    history->cheap.correlation   = json_number(object, LOG_CORRELATION);
  } else if (!strcmp(event, LOG_KEPT))
    history->calibration.there = false;
  else if (!strcmp(event, LOG_CALIBRATION)) {
    history->calibration.there   = true;
    history->calibration.mean    = json_number(object, LOG_MEAN_MOVED);
    history->calibration.spread  = json_number(object, LOG_SPREAD_MOVED);
    history->calibration.widened = json_number(object, LOG_WIDENED);
  }
  cJSON_Delete(object);
}

void report_history(const char *jsonl, ReportHistory *history)
{
  *history = (ReportHistory){0};
  while (jsonl && *jsonl) {
    const size_t length = strcspn(jsonl, "\n");
    history_line(jsonl, length, history);
    jsonl += length + (jsonl[length] == '\n');
  }
}

int report_ranks(const ReportHistory *history, const char *command)
{
  for (int i = history->n - 1; i >= 0; i--)
    if (!strcmp(history->start[i].command, command) || !strcmp(history->start[i].command, "run"))
      return history->start[i].ranks;
  return 1;
}

static PetscErrorCode History(const ReportHistory *history, ReportText *html)
{
  PetscFunctionBeginUser;
  if (history->n == 0) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html, "<h3>What was run here</h3>\n<div class=\"scroll\"><table>\n<thead><tr><th>started "
                              "(UTC)</th><th>command</th><th class=\"n\">ranks</th><th>version</th><th>ended</th>"
                              "</tr></thead>\n<tbody>\n"));
  for (int i = 0; i < history->n; i++) {
    const ReportStart *start = &history->start[i];
    const bool last          = i == history->n - 1; /* the job that writes this page */
    PetscCall(ReportPrint(html, "<tr><td class=\"n\">"));
    PetscCall(ReportEscape(html, start->time));
    PetscCall(ReportPrint(html, "</td><td>"));
    PetscCall(ReportEscape(html, start->command));
    PetscCall(ReportPrint(html, "</td><td class=\"n\">%d</td><td>", start->ranks));
    PetscCall(ReportEscape(html, start->version));
    PetscCall(ReportPrint(html, "</td><td>%s</td></tr>\n",
                          start->ended ? "yes"
                          : last       ? "wrote this page"
                                       : "no: stopped or failed"));
  }
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  if (history->total > history->n)
    PetscCall(ReportPrint(html, "<p class=\"note\">The last %d of %lld starts.</p>\n", history->n,
                          (long long)history->total));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- files ---- */

static PetscErrorCode FileText(const char *name, bool imported, ReportText *html)
{
  const ScoriaRunFile *imports = run_file_find(name, "import"),
                      *file    = imported && imports ? imports : run_file_find(name, NULL);
  const size_t length          = strlen(name);
  PetscFunctionBeginUser;
  if (file && file->text)
    PetscCall(ReportPrint(html, "%s%s%s", file->command ? file->command : "", file->command ? ": " : "", file->text));
  else if (length > 5 && !strcmp(name + length - 5, ".xdmf"))
    PetscCall(ReportPrint(html, "the HDF5 file of this name, for ParaView"));
  else if (length > 5 && !strcmp(name + length - 5, ".part"))
    PetscCall(ReportPrint(html, "unfinished: the next start goes on with it"));
  PetscFunctionReturn(0);
}

static int is_shown(const struct dirent *entry)
{
  return entry->d_name[0] != '.' && strcmp(entry->d_name, "report.html");
}

/* The list of manifest.json; NULL where there is none, or none that can be read: its next writer will say so. */
static PetscErrorCode ReadManifest(const char *run_dir, cJSON **manifest, const cJSON **files)
{
  char path[2 * PETSC_MAX_PATH_LEN];
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "%s/" MANIFEST_FILE, run_dir);
  PetscCall(ScoriaReadJson(path, MANIFEST_MOST, manifest));
  *files = cJSON_GetObjectItemCaseSensitive(*manifest, MANIFEST_FILES);
  PetscFunctionReturn(0);
}

/* The CRC-32C that the manifest has of a file of this length. */
static PetscErrorCode FileSum(const cJSON *files, const char *name, double bytes, ReportText *html)
{
  const cJSON *entry = cJSON_GetObjectItemCaseSensitive(files, name);
  const char *crc    = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, MANIFEST_CRC));
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<td><code>"));
  if (crc && json_number(entry, MANIFEST_BYTES) == bytes) PetscCall(ReportEscape(html, crc));
  PetscCall(ReportPrint(html, "</code></td>"));
  PetscFunctionReturn(0);
}

/* The regular files of the run directory by name, without what is hidden and this page itself. */
static PetscErrorCode Files(const char *run_dir, bool imported, ReportText *html)
{
  struct dirent **entry = NULL;
  char path[2 * PETSC_MAX_PATH_LEN];
  struct stat info;
  cJSON *manifest    = NULL;
  const cJSON *files = NULL;
  PetscFunctionBeginUser;
  PetscCall(ReadManifest(run_dir, &manifest, &files));
  const int n = scandir(run_dir, &entry, is_shown, alphasort);
  PetscCall(ReportPrint(html, "<h3>Files</h3>\n<div class=\"scroll\"><table>\n<thead><tr><th>file</th><th "
                              "class=\"n\">size [kB]</th><th>CRC-32C</th><th>what it holds</th></tr></thead>\n"
                              "<tbody>\n"));
  for (int i = 0; i < n; i++) {
    const char *name = entry[i]->d_name;
    snprintf(path, sizeof path, "%s/%s", run_dir, name);
    if (!stat(path, &info) && S_ISREG(info.st_mode)) {
      PetscCall(ReportPrint(html, "<tr><td><code>"));
      PetscCall(ReportEscape(html, name));
      PetscCall(ReportPrint(html, "</code></td><td class=\"n\">%.1f</td>", 1e-3 * (double)info.st_size));
      PetscCall(FileSum(files, name, (double)info.st_size, html));
      PetscCall(ReportPrint(html, "<td>"));
      PetscCall(FileText(name, imported, html));
      PetscCall(ReportPrint(html, "</td></tr>\n"));
    }
    free(entry[i]);
  }
  free(entry);
  cJSON_Delete(manifest);
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n<p class=\"note\">A command skips what is complete: to have "
                              "it made again, remove the file first. Results do not depend on the number of "
                              "ranks. <code>scoria info</code> with the directory's name checks the sums.</p>\n"));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- versions ---- */

static PetscErrorCode Versions(const ReportPage *page, ReportText *html)
{
  ScoriaLibraries libraries;
  char now[64];
  const time_t seconds = time(NULL);
  struct tm utc;
  PetscFunctionBeginUser;
  PetscCall(ScoriaLibrariesGet(&libraries));
  strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&seconds, &utc));
  PetscCall(ReportPrint(
      html,
      "<h3>Provenance</h3>\n<div class=\"scroll\"><table>\n<tr><th>program</th><td>scoria %s, revision %s, %s "
      "build</td></tr>\n<tr><th>libraries</th><td>",
      scoria_version(), scoria_revision(), scoria_build_type()));
  PetscCall(ReportPrint(html, "PETSc %s; HDF5 %s; ", libraries.petsc, libraries.hdf5));
  PetscCall(ReportEscape(html, libraries.mpi));
  PetscCall(ReportPrint(html, "</td></tr>\n<tr><th>seed</th><td>%lld</td></tr>\n", (long long)page->seed));
  PetscCall(ReportPrint(html,
                        "<tr><th>report written</th><td>%s, on %d rank%s</td></tr>\n<tr><th>written again by</th>"
                        "<td><code>scoria report ",
                        now, page->ranks, page->ranks == 1 ? "" : "s"));
  PetscCall(ReportShellWord(html, page->deck_path));
  PetscCall(ReportPrint(html, "</code></td></tr>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- decks ---- */

PetscErrorCode ReportOtherDeck(const ReportPage *page, const char *file, ReportText *html)
{
  PetscFunctionBeginUser;
  for (int i = 0; page->decks && file && i < page->decks->n; i++) {
    const ScoriaRunResult *result = &page->decks->result[i];
    if (strcmp(result->name, file) || !*result->difference) continue;
    PetscCall(ReportPrint(html, "<p class=\"note\"><code>"));
    PetscCall(ReportEscape(html, file));
    PetscCall(ReportPrint(html, "</code> was made under other keys than the deck of this page: "));
    PetscCall(ReportEscape(html, result->difference));
    PetscCall(ReportPrint(html, ".</p>\n"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Decks(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<h3>Deck of the results</h3>\n"));
  if (page->decks && page->decks->n)
    PetscCall(ReportPrint(html, "<p>As the results themselves tell it, whatever deck this page was asked with.</p>\n"));
  for (int i = 0; page->decks && i < page->decks->n; i++)
    PetscCall(ReportOtherDeck(page, page->decks->result[i].name, html));
  PetscCall(ReportPrint(html, "<details>\n<summary>Every key, as YAML</summary>\n<pre>"));
  PetscCall(ReportEscape(html, page->deck ? page->deck : ""));
  PetscCall(ReportPrint(html, "</pre>\n</details>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportProvenance(const ReportPage *page, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(Versions(page, html));
  PetscCall(History(page->history, html));
  PetscCall(Files(page->run_dir, page->imported, html));
  PetscCall(Decks(page, html));
  PetscFunctionReturn(0);
}
