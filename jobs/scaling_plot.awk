# A gnuplot script from the table of a scaling study (scaling.csv): a panel for each command, in it the whole and those
# phases that take SHOWN of it on some number of ranks, measured or predicted.
BEGIN {
  SHOWN  = 0.03
  COLUMNS = 2
  # Okabe and Ito's palette, which stays apart for the colour-blind
  split("#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #8B6914 #666666", colour, " ")
}

NR == 1 {
  for (i = 1; i <= NF; i++) column[$i] = i
  next
}

{
  study   = $1
  command = $2
  phase   = $3
  kind    = $column["kind"]
  ranks   = $column["ranks"]
  time    = kind == "measured" ? $column["seconds"] : $column["predicted_seconds"]
  nodes   = $column["nodes"]
  if (kind == "measured" && nodes > 1) several = 1
  row = command SUBSEP phase
  if (!(command in known)) {
    commands[++ncommands] = command
    known[command] = 1
  }
  if (!(row in seen)) {
    order[++rows] = row
    seen[row] = 1
  }
  if (phase == "elapsed") whole[command, kind, ranks] = time
  n = ++points
  p_row[n] = row; p_kind[n] = kind; p_ranks[n] = ranks; p_nodes[n] = nodes; p_time[n] = time
  p_efficiency[n] = $column["efficiency"]
  p_expected[n]   = kind == "measured" ? $column["predicted_seconds"] : time
}

# The points of a row as a data block of gnuplot's: units, measured seconds, predicted seconds, efficiency of either.
function block(name, row,    n, at, m, value) {
  print "$" name " << EOD"
  for (n = 1; n <= points; n++) {
    if (p_row[n] != row) continue
    at = several ? p_nodes[n] : p_ranks[n]
    m = p_kind[n] == "measured"
    value = p_efficiency[n] == "" ? "NaN" : 100 * p_efficiency[n]
    # The first number of ranks is where a prediction starts from.
    print at, (m && p_time[n] > 0 ? p_time[n] : "NaN"), (p_expected[n] > 0 ? p_expected[n] : (m && !started[row]++ ? p_time[n] : "NaN")), \
      (m ? value : "NaN"), (!m || !begun[row]++ ? value : "NaN")
  }
  print "EOD"
}

function chosen(row,    n, part) {
  split(row, part, SUBSEP)
  if (part[2] == "elapsed") return 1
  for (n = 1; n <= points; n++)
    if (p_row[n] == row && p_time[n] > SHOWN * whole[part[1], p_kind[n], p_ranks[n]]) return 1
  return 0
}

function panel(command, what,    r, part, style, plots, ink, name) {
  plots = ""
  ink = 0
  for (r = 1; r <= rows; r++) {
    split(order[r], part, SUBSEP)
    if (part[1] != command || !(order[r] in data)) continue
    if (what == "efficiency" && !has_efficiency[order[r]]) continue
    name  = data[order[r]]
    style = part[2] == "elapsed" ? "lc rgb '#000000' lw 2.5" : "lc rgb '" colour[1 + ink++ % 8] "' lw 1.5"
    plots = plots sprintf(", $%s using 1:%d with linespoints pt 7 ps 0.7 %s title '%s'", name, (what == "seconds" ? 2 : 4), style, part[2]) \
      sprintf(", $%s using 1:%d with lines dt (6,4) %s notitle", name, (what == "seconds" ? 3 : 5), style)
  }
  printf "set title '%s' font ',13'\n", command
  if (what == "seconds") {
    name = data[command SUBSEP "elapsed"]
    # the ideal: the whole, in inverse proportion to the units where the work stays, level where it grows
    printf "t0 = %.6g\nu0 = %g\nplot [*:*] %s with lines lc rgb '#BBBBBB' lw 4 title 'ideal'%s\n", whole_first[command], unit_first[command], \
      (study == "strong" ? "t0 * u0 / x" : "t0 + 0 * x"), plots
  } else
    printf "plot [*:*] 100 with lines lc rgb '#BBBBBB' lw 4 title 'ideal'%s\n", plots
}

function figure(what, terminal, suffix,    c, lines) {
  lines = int((ncommands + COLUMNS - 1) / COLUMNS)
  printf "reset\nset encoding utf8\nset terminal %s\nset output 'scaling_%s.%s'\n", sprintf(terminal, 520 * COLUMNS * scale, 360 * lines * scale), what, suffix
  printf "set multiplot layout %d,%d title '%s scaling: %s; dashed: predicted'\n", lines, COLUMNS, (study == "strong" ? "Strong" : "Weak"), \
    (what == "seconds" ? "seconds of the slowest rank" : "efficiency [%]")
  print "set datafile missing 'NaN'\nset logscale x 2\nset border 3\nset tics nomirror\nset grid lc rgb '#EEEEEE'\nset samples 200"
  print "set xtics 1,8\nset format x '%.0f'\nset xlabel '" (several ? "nodes" : "ranks") "'\nset key outside right top samplen 2 font ',10'"
  if (what == "seconds")
    print "set logscale y\nset format y '10^{%L}'\nset ylabel 's'"
  else
    print "set yrange [0:130]\nset ylabel '%'"
  for (c = 1; c <= ncommands; c++) panel(commands[c], what)
  print "unset multiplot\nunset output"
}

END {
  for (r = 1; r <= rows; r++) {
    if (!chosen(order[r])) continue
    data[order[r]] = "d" ++blocks
    block(data[order[r]], order[r])
  }
  for (n = points; n >= 1; n--) {
    split(p_row[n], part, SUBSEP)
    if (p_efficiency[n] != "") has_efficiency[p_row[n]] = 1
    if (part[2] == "elapsed" && p_kind[n] == "measured") {
      whole_first[part[1]] = p_time[n]
      unit_first[part[1]]  = several ? p_nodes[n] : p_ranks[n]
    }
  }
  scale = 1
  figure("seconds", "svg size %d,%d dynamic enhanced font 'Helvetica,12' background 'white'", "svg")
  figure("efficiency", "svg size %d,%d dynamic enhanced font 'Helvetica,12' background 'white'", "svg")
  print "if (strstrt(GPVAL_TERMINALS, 'pngcairo') == 0) { exit }"
  scale = 1.5
  figure("seconds", "pngcairo size %d,%d enhanced font 'Sans,11' fontscale 1.2", "png")
  figure("efficiency", "pngcairo size %d,%d enhanced font 'Sans,11' fontscale 1.2", "png")
}
