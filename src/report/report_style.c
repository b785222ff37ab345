/* How the page looks: light or dark as the reader's system is, on a wide screen, on a phone and on paper. */
#include "report_page.h"
#include <string.h>

/* Nothing but what the page itself holds may load: the browser then reports every request on its console. */
static const char *const page_start =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
    "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char *const style =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d5dbe1;--card:#f6f8fa;"
    "--link:#0a5c99}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#13161a;--fg:#e6e9ec;--soft:#a0a9b2;--line:#333a42;"
    "--card:#1b2025;--link:#6fb8ec}}\n"
    "*{box-sizing:border-box}html{scroll-behavior:smooth}\n"
    "body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,\"Segoe "
    "UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",Helvetica,Arial,sans-serif}\n"
    "sub,sup{line-height:0}a{color:var(--link)}code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"
    "\"DejaVu Sans "
    "Mono\",monospace}\n"
    ".page{max-width:88rem;margin:0 auto;padding:0 1.25rem}\n"
    "main{min-width:0;padding:2rem 0 4rem}\n"
    "h1{font-size:1.75rem;line-height:1.25;margin:0;text-wrap:balance}\n"
    "h2{font-size:1.35rem;line-height:1.3;margin:0}h3{font-size:1.05rem;margin:2rem 0 .6rem}\n"
    "section{margin-top:3.2rem;padding-top:1.2rem;border-top:1px solid var(--line)}\n"
    "section,figure{scroll-margin-top:1rem}\n"
    ".sub{color:var(--soft);margin:.4rem 0 0}.lead{font-size:1.08rem;max-width:46rem;margin:1.3rem 0}\n"
    ".note,.help,figcaption,.made{color:var(--soft);font-size:.9rem}.note,figcaption{max-width:50rem}\n"
    ".made{margin:.25rem 0 1.2rem}.made code,.redraw code{font-size:.82rem;overflow-wrap:anywhere}\n"
    ".redraw{display:block;margin-top:.25rem}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.8rem;margin:1.3rem 0}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.85rem 1rem}\n"
    ".card b{display:block;font-size:1.55rem;line-height:1.2;font-variant-numeric:tabular-nums}\n"
    ".card span{display:block;font-size:.86rem;line-height:1.4}.card span+span{color:var(--soft);margin-top:.3rem}\n"
    ".holdings{display:flex;flex-wrap:wrap;gap:.15rem 1.8rem;margin:1rem 0;padding:0 0 0 1.1rem;font-size:.92rem;"
    "overflow-wrap:anywhere}\n"
    ".thumbs{display:grid;grid-template-columns:repeat(auto-fill,minmax(12.5rem,1fr));gap:.8rem;margin:1rem 0 0;"
    "padding:0;list-style:none}\n"
    ".thumbs a{display:flex;flex-direction:column;height:100%;color:inherit;text-decoration:none;font-size:.86rem;"
    "line-height:1.35;border:1px solid var(--line);border-radius:10px;overflow:hidden;background:var(--card)}\n"
    ".thumbs a:hover,.thumbs a:focus-visible{border-color:var(--link)}\n"
    ".thumbs svg{width:100%;height:8rem;background:var(--plot);padding:.4rem}.thumbs span{padding:.5rem .75rem .6rem}\n"
    "figure{margin:0 0 2rem}figure svg{display:block;width:100%;height:auto;background:var(--plot);border-radius:8px}\n"
    "figure .wide{overflow-x:auto}figure .wide svg{min-width:44rem}\n"
    "svg image{image-rendering:pixelated}svg text{font-family:Helvetica,Arial,\"DejaVu Sans\",sans-serif}\n"
    "figcaption{margin-top:.5rem}\n"
    ".scroll{overflow-x:auto;margin:0 0 1rem}table{border-collapse:collapse;font-size:.9rem}\n"
    "th,td{padding:.32rem .8rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:baseline}\n"
    "th{font-weight:600;vertical-align:bottom}tbody tr:last-child>*{border-bottom:0}\n"
    ".many{font-size:.82rem}.many th,.many td{padding:.32rem .4rem}\n"
    "th:first-child,td:first-child{padding-left:.2rem}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums lining-nums;white-space:nowrap}th.n{white-space:normal}\n"
    ".u{white-space:nowrap}td:first-child{white-space:nowrap}.help{min-width:20rem}\n"
    "pre{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem;overflow-x:auto;"
    "font-size:.82rem;line-height:1.5}\n"
    "summary{cursor:pointer;color:var(--link)}\n"
    "nav{font-size:.92rem;padding:1.2rem 0 0}nav ol{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;"
    "gap:.2rem 1.1rem}nav b{display:none}nav a{color:var(--soft);text-decoration:none}nav a:hover{color:var(--link)}\n"
    "@media (min-width:70rem){.page{display:grid;grid-template-columns:11rem minmax(0,1fr);column-gap:3rem}\n"
    "nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;padding:2.3rem 0 1rem}\n"
    "nav ol{flex-direction:column;gap:.45rem}nav b{display:block;margin-bottom:.6rem}}\n"
    "@media (max-width:40rem){.page{padding:0 .9rem}h1{font-size:1.4rem}.thumbs{grid-template-columns:1fr 1fr}\n"
    ".thumbs svg{height:5.5rem}.cards{grid-template-columns:1fr 1fr}.card b{font-size:1.3rem}}\n"
    "@media print{nav,.thumbs,.redraw{display:none}.page{display:block;max-width:none}body{font-size:10.5pt}\n"
    "figure,.card,tr{break-inside:avoid}section{margin-top:1.5rem}.scroll,figure .wide{overflow:visible}\n"
    "figure .wide svg{min-width:0}details>pre{white-space:pre-wrap}}\n";

/* What gnuplot draws in, for a light page, and what stands for it in the dark.  Within a hue the shades
 * stay apart; colour maps are not in the list, and stay as they are. */
static const struct {
  int light[3];
  const char *dark;
} inks[] = {
    {{0xff, 0xff, 0xff}, "#1b2025"}, /* page */
    {{0x00, 0x00, 0x00}, "#f2f4f6"}, /* PDE, text */
    {{0x22, 0x22, 0x22}, "#dde1e5"}, /* labels of tics */
    {{0x44, 0x44, 0x44}, "#9aa3ac"}, /* axes */
    {{0x4a, 0x4a, 0x4a}, "#c3c9cf"}, {{0x8a, 0x8a, 0x8a}, "#8d969f"},
    {{0xb0, 0xb0, 0xb0}, "#68717a"}, {{0xc4, 0xc4, 0xc4}, "#4a535c"}, /* band of the PDE */
    {{0x99, 0x99, 0x99}, "#6f7882"}, {{0xd0, 0xd0, 0xd0}, "#39414a"}, /* grids */
    {{0x00, 0x72, 0xb2}, "#4fb0f0"},                                  /* blue: model */
    {{0x00, 0x40, 0x6b}, "#c5e4fa"}, {{0x2e, 0x8f, 0xd0}, "#3f9fe0"},
    {{0x56, 0xb4, 0xe9}, "#8fcdf6"}, {{0xd5, 0x5e, 0x00}, "#ff9248"}, /* vermillion: Gaussian */
    {{0x00, 0x9e, 0x73}, "#35c79d"},                                  /* bluish green */
    {{0xcc, 0x79, 0xa7}, "#e5a3c8"},                                  /* reddish purple */
    {{0xe6, 0x9f, 0x00}, "#f0b73a"},                                  /* orange */
};

#define INKS ((int)(sizeof inks / sizeof *inks))

int report_ink(const int rgb[3])
{
  for (int i = 0; i < INKS; i++)
    if (!memcmp(rgb, inks[i].light, sizeof inks[i].light)) return i;
  return -1;
}

PetscErrorCode ReportPageHead(const char *title, ReportText *html)
{
  PetscFunctionBeginUser;
  PetscCall(ReportAppend(html, page_start, strlen(page_start)));
  PetscCall(ReportPrint(html, "<title>"));
  PetscCall(ReportEscape(html, title));
  PetscCall(ReportPrint(html, "</title>\n<style>\n:root{--plot:var(--ink0)"));
  for (int i = 0; i < INKS; i++)
    PetscCall(ReportPrint(html, ";--ink%d:#%02x%02x%02x", i, inks[i].light[0], inks[i].light[1], inks[i].light[2]));
  PetscCall(ReportPrint(html, "}\n@media (prefers-color-scheme:dark){:root{"));
  for (int i = 0; i < INKS; i++) PetscCall(ReportPrint(html, "%s--ink%d:%s", i ? ";" : "", i, inks[i].dark));
  PetscCall(ReportPrint(html, "}}\n"));
  PetscCall(ReportAppend(html, style, strlen(style)));
  PetscCall(ReportPrint(html, "</style>\n</head>\n<body>\n"));
  PetscFunctionReturn(0);
}
