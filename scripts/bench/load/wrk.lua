-- Posts the requests of a file one after the other: wrk ... -- FILE SIZE FIRST COUNT
local file, size, first, count, sent

function init(args)
  file = assert(io.open(args[1], "rb"))
  size, first, count = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  file:setvbuf("full", 1048576)
  file:seek("set", first * size)
  sent = 0
end

function request()
  if first + sent >= count then
    file:seek("set", 0)
    first, sent = 0, 0
  end
  sent = sent + 1
  return file:read(size)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50":%.4f,"p99":%.4f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
