-- Takes, renews or gives back leases.
-- KEYS: fixed, leases. ARGV: holder, for how many milliseconds or 0, then ids.
-- Returns the ids that the holder has now.
local fixed, leases = unpack(KEYS)
local holder, ttl = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local held = {}
for at = 3, #ARGV do
  local id = ARGV[at]
  local ends, by = string.match(redis.call('HGET', leases, id) or '', '^(%d+):(.*)$')
  if ttl == 0 then
    if by == holder then redis.call('HDEL', leases, id) end
  elseif (not by or by == holder or tonumber(ends) <= now) and redis.call('HEXISTS', fixed, id) == 1 then
    redis.call('HSET', leases, id, string.format('%.0f', now + ttl) .. ':' .. holder)
    held[#held + 1] = id
  end
end
return held
