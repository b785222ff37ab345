# The table of a scaling study from the log.jsonl of its runs and the machine.jsonl of its jobs, each of which holds flat
# JSON objects: CSV on standard output, the same for people in the file `markdown`.  The formulas of the predictions are
# explained in benchmarks/scaling/README.md.  POSIX awk; run by scaling_collect.sh, which sets
#
#   kind      strong or weak
#   micro     train_micro_batches of the strong study, of one rank of a weak one
#   latency, bandwidth, file   of the network and the file system where the study has not seen them, 0: as measured
#   most      predict up to this number of ranks
#   markdown  name of the file

# A number or a text of a flat JSON object.
function member(line, name,    at, rest) {
  at = index(line, "\"" name "\":")
  if (!at) return ""
  rest = substr(line, at + length(name) + 3)
  if (substr(rest, 1, 1) == "\"") {
    rest = substr(rest, 2)
    return substr(rest, 1, index(rest, "\"") - 1)
  }
  match(rest, /^[^,}]*/)
  return substr(rest, 1, RLENGTH) + 0
}

function least(a, b) { return a < b ? a : b }
function largest(a, b) { return a > b ? a : b }
function ceiling(x) { return x == int(x) ? x : int(x) + 1 }
function stages(p,    n) { for (n = 0; p > 1; p /= 2) n++; return n } # ceil(log2 p)

# Median of value[key, 1..n]; also sets spread_of_last, (largest - least)/median.
function median(value, key, n,    i, j, x, sorted, middle) {
  for (i = 1; i <= n; i++) {
    x = value[key, i]
    for (j = i - 1; j >= 1 && sorted[j] > x; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = x
  }
  middle = n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
  spread_of_last = middle > 0 ? (sorted[n] - sorted[1]) / middle : 0
  return middle
}

function short(x) {
  if (x == "") return ""
  return x >= 1000 ? sprintf("%.0f", x) : sprintf("%.3g", x)
}
function percent(x) { return x == "" ? "" : sprintf("%.1f %%", 100 * x) }

index($0, "\"event\":\"machine\"") {
  p = member($0, "ranks")
  split("triad single double latency bandwidth ticket write read", names, " ")
  for (i in names) machine[p, names[i]] = member($0, names[i])
}

index($0, "\"event\":\"dealing\"") {
  split("round_rows first_rows known_rows chunk_rows chunk_seconds round_chunks load", names, " ")
  for (i in names) dealing[names[i]] = member($0, names[i])
}

index($0, "\"event\":\"phase\"") {
  command = member($0, "of")
  phase   = member($0, "phase")
  p       = member($0, "ranks")
  row     = command SUBSEP phase
  if (!(row in model)) {
    order[++rows]  = row
    model[row]     = member($0, "model")
    roof[row]      = member($0, "roof")
    unit[row]      = member($0, "unit")
    if (!(command in has_command)) commands[++ncommands] = command
    has_command[command] = 1
  }
  if (!(p in nodes)) ranks[++nranks] = p
  nodes[p] = member($0, "nodes")
  key = row SUBSEP p
  n = ++count[key]
  seconds[key, n] = member($0, "seconds")
  mean[key, n]    = member($0, "mean")
  calls[key]      = member($0, "calls")
  items[key]      = member($0, "items")
  bytes[key]      = member($0, "bytes")
  flops[key]      = member($0, "flops")
}

function sort_ranks(    i, j, p) {
  for (i = 2; i <= nranks; i++) {
    p = ranks[i]
    for (j = i - 1; j >= 1 && ranks[j] > p; j--) ranks[j + 1] = ranks[j]
    ranks[j + 1] = p
  }
  first = ranks[1]
  last  = ranks[nranks]
}

# ------------------------------------------------------------------------------------------------------- the model

# The work of a phase on p ranks, in that of the first number of ranks.  What was seen to grow with the ranks of a weak
# study is taken to go on growing.
function work(row, p,    grown) {
  if (kind != "weak" || !items[row, first] || !((row SUBSEP last) in count)) return 1
  grown = items[row, last] / items[row, first]
  return grown * grown > last / first ? p / first : 1
}

# Items that cannot be shared: the ranks of the last turn may have nothing to do.
function pieces(row, command, phase, p) {
  if (phase == "step") return kind == "weak" ? micro * p : micro
  if (command == "uq" && (phase == "sample" || phase == "statistics")) return calls["uq", "sample", first] * work(row, p)
  return items[row, first] * work(row, p)
}
function uneven(n, p) { return n > 0 ? ceiling(n / p) * p / n : 1 }

function allreduces(row, p,    each) {
  if (p == 1 || !calls[row, first]) return 0
  each = bytes[row, first] / calls[row, first]
  return calls[row, first] / first * (3 * stages(p) * net_latency + (net_bandwidth ? 2 * (p - 1) / p * each / net_bandwidth : 0))
}

# The dealer of generate, with the constants that it has logged: rows of a round, and of the first one, seconds and rows
# of a chunk, chunks of a round, the counter's load.  One counter serves all ranks: it limits where its draws last longer
# than the solves.
function deal(row, command, p,    rows_all, one, rounds, smallest, biggest, tickets, ticket, start) {
  if (p == 1) return bare[row, first]
  rows_all = items[row, first] * work(row, p)
  if (!rows_all || !dealing["round_rows"]) return bare[row, first]
  one      = bare[command, "solve", first] * first * work(row, p) / rows_all
  ticket   = machine[last, "ticket"]
  rounds   = ceiling(rows_all / (dealing["round_rows"] * p))
  smallest = one > 0 ? largest(1, least(dealing["round_rows"] / dealing["round_chunks"], ceiling(p * ticket / (dealing["load"] * one)))) : 1
  biggest  = one > 0 ? largest(smallest, least(dealing["chunk_rows"], dealing["chunk_seconds"] / one)) : dealing["chunk_rows"]
  start    = p * (smallest > 1 ? dealing["known_rows"] : largest(dealing["first_rows"], dealing["round_rows"] / p))
  tickets  = least(rows_all, start) + least(rows_all, rounds * p * (dealing["round_rows"] / biggest + 2 * log(biggest / smallest)))
  return rounds * p * ticket + largest(0, tickets * ticket - rows_all * one / p) + (rounds + 1) * smallest * one / 2
}

function alltoall(row, p,    each, turns) {
  each  = last > 1 && items[row, last] ? bytes[row, last] / items[row, last] * last / (last - 1) : 0
  turns = largest(1, calls[row, first] / first * work(row, p) * first / p)
  return bare[row, first] * work(row, p) * first / p + (p > 1 ? turns * p * net_latency : 0) + \
    (net_bandwidth ? each * items[row, first] * work(row, p) * (p - 1) / p / (p * net_bandwidth) : 0)
}

function gather(row, p) {
  if (p == 1) return bare[row, first]
  return bare[row, first] * work(row, p) + calls[row, first] / first * p * net_latency + \
    (net_bandwidth ? bytes[row, first] * work(row, p) * (p - 1) / p / net_bandwidth : 0)
}

function transfer(row, p,    give, turns) {
  give  = file ? file : largest(machine[last, roof[row]], bare[row, first] ? bytes[row, first] / bare[row, first] : 0)
  turns = calls[row, first] / first
  return largest(largest(bare[row, first] * work(row, p) * first / p, turns ? bare[row, first] / turns : 0),
                 give ? bytes[row, first] * work(row, p) / give : 0)
}

# Seconds of a phase on p ranks, from what was measured on the first number of ranks.
function predict(row, p,    part, command, phase, n, i, sum) {
  split(row, part, SUBSEP)
  command = part[1]
  phase   = part[2]
  if (!((row SUBSEP first) in count)) return ""
  if (model[row] == "sum") {
    for (i = 1; i <= rows; i++) {
      split(order[i], part, SUBSEP)
      if (part[1] == command && model[order[i]] != "sum") sum += predict(order[i], p)
    }
    return sum
  }
  if (model[row] == "parallel") {
    n = pieces(row, command, phase, p)
    return bare[row, first] * work(row, p) * first / p * uneven(n, p) / uneven(pieces(row, command, phase, first), first)
  }
  if (model[row] == "allreduce") return largest(0, bare[row, first] - allreduces(row, first)) + allreduces(row, p)
  if (model[row] == "deal") return deal(row, command, p)
  if (model[row] == "alltoall") return alltoall(row, p)
  if (model[row] == "gather") return gather(row, p)
  if (model[row] == "file") return transfer(row, p)
  return bare[row, first] * work(row, p) # replicated, serial
}

# ------------------------------------------------------------------------------------------------------- the table

function nodes_of(p) { return p in nodes ? nodes[p] : ceiling(p / per_node) }

# Items per second and unit (node, or rank where all are on one node), in those of the first number of ranks.
function efficiency(row, p, time,    growth, units) {
  if (model[row] ~ /^(allreduce|deal|alltoall|gather)$/ || !time || !bare[row, first]) return ""
  growth = model[row] == "sum" ? (kind == "weak" ? p / first : 1) : work(row, p)
  units  = several ? nodes_of(p) / nodes_of(first) : p / first
  return growth * bare[row, first] / time / units
}

# What the machine would need at least for the operations and bytes counted, in the mean time of the ranks.
function share(row, p, time,    product, traffic) {
  bound = ""
  if (roof[row] == "none" || !time || !((p, "triad") in machine)) return ""
  if (roof[row] == "write" || roof[row] == "read") {
    if (!bytes[row, p]) return ""
    bound = "file"
    return bytes[row, p] / machine[p, roof[row]] / time
  }
  product = flops[row, p] / machine[p, roof[row]]
  traffic = bytes[row, p] / machine[p, "triad"]
  if (!product && !traffic) return ""
  bound = product > traffic ? "gemm" : "triad"
  return largest(product, traffic) / time
}

function measured_row(row, p,    part, key, time, spread, average, rate, of_roof, expected) {
  split(row, part, SUBSEP)
  key = row SUBSEP p
  if (!(key in count)) return
  time    = median(seconds, key, count[key])
  spread  = spread_of_last
  average = median(mean, key, count[key])
  rate    = items[key] && time ? items[key] / time : ""
  of_roof = share(row, p, average)
  expected = p == first ? "" : predict(row, p)
  print kind, part[1], part[2], model[row], "measured", p, nodes[p], count[key], time, spread, average, items[key], unit[row], \
    rate, (rate == "" ? "" : rate / nodes[p]), efficiency(row, p, time), of_roof, bound, expected, \
    (expected == "" || !time ? "" : expected / time)
  printf "| %s | %d | %d | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", part[2], p, nodes[p], short(time), percent(spread), \
    (rate == "" ? "" : short(rate) " " unit[row]), (rate == "" ? "" : short(rate / nodes[p])), percent(efficiency(row, p, time)), \
    percent(of_roof), bound, short(expected), (expected == "" || !time ? "" : sprintf("%.2f", expected / time)) >markdown
}

function predicted_row(row, p,    part, time, rate) {
  split(row, part, SUBSEP)
  time = predict(row, p)
  if (time == "") return
  rate = items[row, first] && time ? items[row, first] * work(row, p) / time : ""
  print kind, part[1], part[2], model[row], "predicted", p, nodes_of(p), 0, "", "", "", items[row, first] * work(row, p), unit[row], \
    rate, (rate == "" ? "" : rate / nodes_of(p)), efficiency(row, p, time), "", "", time, ""
}

# One line for people on a command at a number of ranks: its time, and what takes most of it.
function outlook(command, p,    row, time, i, part, one, top, top_time) {
  row  = command SUBSEP "elapsed"
  time = predict(row, p)
  for (i = 1; i <= rows; i++) {
    split(order[i], part, SUBSEP)
    if (part[1] != command || model[order[i]] == "sum") continue
    one = predict(order[i], p)
    if (one > top_time) {
      top_time = one
      top      = part[2]
    }
  }
  printf "| %s | %d | %s | %s | %s, %s s |\n", command, p, short(time), percent(efficiency(row, p, time)), top, short(top_time) >markdown
}

END {
  OFS = ","
  if (!nranks) exit 1
  sort_ranks()
  for (i = 1; i <= nranks; i++) {
    p        = ranks[i]
    several  = several || nodes[p] > 1
    per_node = largest(per_node, ceiling(p / nodes[p]))
    for (r = 1; r <= rows; r++)
      if ((order[r] SUBSEP p) in count) bare[order[r], p] = median(seconds, order[r] SUBSEP p, count[order[r], p])
  }
  net_latency   = latency ? latency : machine[last, "latency"]
  net_bandwidth = bandwidth ? bandwidth : machine[last, "bandwidth"]

  print "study,command,phase,model,kind,ranks,nodes,repetitions,seconds,spread,mean_seconds,items,unit,items_per_second," \
    "items_per_second_per_node,efficiency,roofline_share,roof,predicted_seconds,predicted_over_measured"
  printf "# %s scaling\n\nSeconds are those of the slowest rank, the median of the repetitions; the spread is largest minus least of " \
    "them. Efficiency: items per second and %s, over those on %d rank%s. Roofline: the least time for the operations and bytes " \
    "counted, at the rates below, in the mean time of the ranks. Prediction: from what was measured on %d rank%s and the rates of " \
    "the machine ([formulas](README.md)); beside it, its ratio to what was measured.\n\n", (kind == "weak" ? "Weak" : "Strong"), \
    (several ? "node" : "rank"), first, (first == 1 ? "" : "s"), first, (first == 1 ? "" : "s") >markdown
  print "| ranks | nodes | triad GB/s | product GFLOP/s, single | double | allreduce: latency us | GB/s | ticket us | write GB/s | read GB/s |" >markdown
  print "|---|---|---|---|---|---|---|---|---|---|" >markdown
  for (i = 1; i <= nranks; i++) {
    p = ranks[i]
    printf "| %d | %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", p, nodes[p], short(1e-9 * machine[p, "triad"]), \
      short(1e-9 * machine[p, "single"]), short(1e-9 * machine[p, "double"]), short(1e6 * machine[p, "latency"]), \
      short(1e-9 * machine[p, "bandwidth"]), short(1e6 * machine[p, "ticket"]), short(1e-9 * machine[p, "write"]), \
      short(1e-9 * machine[p, "read"]) >markdown
  }
  for (c = 1; c <= ncommands; c++) {
    printf "\n## %s\n\n", commands[c] >markdown
    print "| phase | ranks | nodes | s | spread | per second | per node | efficiency | roofline | of | predicted s | predicted / measured |" >markdown
    print "|---|---|---|---|---|---|---|---|---|---|---|---|" >markdown
    for (r = 1; r <= rows; r++) {
      split(order[r], part, SUBSEP)
      if (part[1] != commands[c]) continue
      for (i = 1; i <= nranks; i++) measured_row(order[r], ranks[i])
      for (p = 2 * last; p <= most; p *= 2) predicted_row(order[r], p)
    }
  }
  print "\n## Predicted\n\n| command | ranks | s | efficiency | most of it |\n|---|---|---|---|---|" >markdown
  for (c = 1; c <= ncommands; c++)
    for (p = 4 * last; p <= most; p *= 4) outlook(commands[c], p)
}
