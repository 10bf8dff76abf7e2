-- Debits, credits or looks at buckets, all of them or none. See Meter in bucket.go, which this has to agree with.
-- KEYS: buckets, and then the writer whose payloads are asked for, if there is one. ARGV: 1 to change them, 0 to look; then for
-- each bucket its span and the amount to take (below 0: to give back), in nanoseconds of restoring; for the writer, in
-- milliseconds, how old a payload may be. A bucket is kept as "missing at": nanoseconds, and microseconds since 1970.
-- Returns {allowed, time in microseconds, {missing…}, {payload…}}.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local buckets, writes = #ARGV - #KEYS - 1, {}
if buckets < #KEYS then
  local since = string.format('%.0f', now - ARGV[#ARGV] * 1000)
  writes = redis.pcall('ZRANGEBYSCORE', KEYS[#KEYS], since, '+inf')
  if writes.err then -- something else stands there: the buckets do not mind
    writes = {}
  end
end
local kept = buckets > 0 and redis.call('MGET', unpack(KEYS, 1, buckets))
local before, after, changed, allowed = {}, {}, {}, 1
for i = 1, buckets do
  local span, take = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local missing, at = 0, now
  if kept[i] then
    local m, a = string.match(kept[i], '^(%d+) (%d+)$')
    if m then
      missing, at = math.min(tonumber(m), span), tonumber(a)
    end
    if now > at then
      missing, at = math.max(0, missing - (now - at) * 1000), now
    elseif at - now > 1000000 then -- the clock was set back
      at = now
    end
  end
  before[i] = missing
  after[i] = math.max(0, missing + take)
  changed[i] = at
  if take > 0 and missing + take > span then
    allowed = 0
  end
end
if allowed == 0 or ARGV[1] == '0' then
  return {allowed, now, before, writes}
end
for i = 1, buckets do
  if ARGV[2 * i + 1] ~= '0' then
    if after[i] == 0 then
      redis.call('DEL', KEYS[i])
    else
      local ttl = math.ceil(after[i] / 1000000) + 2000 -- the slack is longer than a clock may lag
      redis.call('SET', KEYS[i], string.format('%.0f %.0f', after[i], changed[i]), 'PX', string.format('%.0f', ttl))
    end
  end
end
return {allowed, now, after, writes}
