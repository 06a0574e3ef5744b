-- Asks for items in no order, one a request.
-- Arguments: dataset, how many items there are, a key of the API or nothing. Prints requests, microseconds, failures, p99 in microseconds.
local dataset, items

function init(arguments)
  math.randomseed(1)
  dataset, items = arguments[1], tonumber(arguments[2])
  if arguments[3] then wrk.headers["Authorization"] = "Bearer " .. arguments[3] end
end

function request()
  return wrk.format("GET", string.format("/datasets/%s/items/item/%08d", dataset, math.random(0, items - 1)))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("%d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout, latency:percentile(99)))
end
