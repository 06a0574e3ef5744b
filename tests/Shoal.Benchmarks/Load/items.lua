-- Sends items of one size, each under an id of its own: singly with PUT, or so many a request as lines of JSON.
-- Arguments: dataset, number of the first item, bytes of an item, items a request. Prints requests, microseconds, failures, p99 in microseconds.
local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local dataset, number, batch, bytes, line

-- A shape of base64 for so many bytes; what it says does not matter.
local function base64(count)
  local text = {}
  for i = 1, math.floor(count / 3) * 4 do
    local at = math.random(64)
    text[i] = letters:sub(at, at)
  end
  local rest = count % 3
  return table.concat(text) .. (rest == 1 and "bA==" or rest == 2 and "bGA=" or "")
end

function init(arguments)
  math.randomseed(1)
  dataset, number, bytes, batch = arguments[1], tonumber(arguments[2]), tonumber(arguments[3]), tonumber(arguments[4])
  if batch == 1 then
    wrk.headers["Content-Type"] = "image/x-raw"
    line = string.rep("\165", bytes)
  else
    wrk.headers["Content-Type"] = "application/x-ndjson"
    line = string.format('","mediaType":"image/x-raw","bytes":"%s"}\n', base64(bytes))
  end
end

function request()
  if batch == 1 then
    number = number + 1
    return wrk.format("PUT", string.format("/datasets/%s/items/item/%08d", dataset, number), nil, line)
  end

  local lines = {}
  for i = 1, batch do
    number = number + 1
    lines[i] = string.format('{"id":"item/%08d', number)
  end
  return wrk.format("POST", string.format("/datasets/%s/items", dataset), nil, table.concat(lines, line) .. line)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("%d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout, latency:percentile(99)))
end
