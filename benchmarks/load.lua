-- Script for wrk. Arguments: method, body, prefix of the unique values, expected status ("0" skips
-- the check of responses) and expected length of the response body.
-- UNIQUE in the body is replaced by a different value in each request.

local UNCHECKED = "0"

function init(arguments)
   local method, body, prefix, status, length = unpack(arguments)
   wrk.method = method
   if body ~= "" then
      wrk.headers["Content-Type"] = "application/json"
      local before, after = body:match("^(.*)UNIQUE(.*)$")
      local sent = 0
      function request()
         sent = sent + 1
         return wrk.format(nil, nil, nil, before .. prefix .. string.format("%08d", sent) .. after)
      end
   end
   wrong = 0
   if status ~= UNCHECKED then
      status, length = tonumber(status), tonumber(length)
      function response(actual, _, content)
         -- A timestamp without microseconds, one in a million, makes the body shorter.
         if actual ~= status or #content ~= length and #content ~= length - #".000000" then
            wrong = wrong + 1
         end
      end
   end
end

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function done(summary, latency, _)
   local errors = 0
   for _, count in pairs(summary.errors) do
      errors = errors + count
   end
   for _, thread in ipairs(threads) do
      errors = errors + thread:get("wrong")
   end
   io.write(string.format(
      '{"requests": %d, "errors": %d, "seconds": %.6f, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f}\n',
      summary.requests, errors, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3
   ))
end
