-- The load that wrk makes. BENCH_KEY is the API key. With BENCH_EVENTS each
-- request posts a new event over 20,000 conversations, told from every other
-- run's by BENCH_RUN; else the URL is fetched again and again.
--
-- Ids have one width, so that every request has one length and nothing but the
-- ids is made anew.

local key = assert(os.getenv("BENCH_KEY"), "BENCH_KEY is not set")
wrk.headers["X-API-Key"] = key

if os.getenv("BENCH_EVENTS") then
  local body = '{"event_id":"evt_%s_%09d","thread_id":"incident_%05d","title":"Incident opened","text":"API latency is high"%s}'
  local run, extra = os.getenv("BENCH_RUN"), os.getenv("BENCH_EXTRA") or ""
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Connection"] = "keep-alive"
  local template, n

  function init(args)
    math.randomseed(os.time())
    local example = string.format(body, run, 1, 1, extra)
    -- What wrk makes of the example is a pattern for all others.
    template = wrk.format(nil, nil, nil, example):gsub("%%", "%%%%")
    template = template:sub(1, #template - #example) .. body
    n = 0
  end

  function request()
    n = n + 1
    return string.format(template, run, n, math.random(20000), extra)
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nbench {"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"timeouts":%d,"mean_ms":%.6f,"p50_ms":%.6f,"p99_ms":%.6f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write, e.timeout,
    latency.mean / 1e3, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
