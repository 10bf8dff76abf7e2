-- Writes deliveries to a consumer's log and moves its progress on.
-- KEYS: progress, leases, the consumer's log.
-- ARGV: id, holder or "", revision, progress, how many deliveries are kept; then the deliveries.
-- Returns how many deliveries there were before, -1 if the consumer is not the holder's or has changed, -2 if there is none.
-- Numbers of deliveries stay below 2^53, where Lua's are exact.
local progress, leases, log = unpack(KEYS)
local id, holder, revision, state, keep = unpack(ARGV, 1, 5)
local kept = redis.call('HGET', progress, id)
if not kept then return -2 end
local made, present, count, rest = string.match(kept, '^(%d+):(%d+):(%d+):(.*)$')
if holder ~= '' then
  local ends, by = string.match(redis.call('HGET', leases, id) or '', '^(%d+):(.*)$')
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if by ~= holder or tonumber(ends) <= now or present ~= revision then return -1 end
  rest = state
end
local last = tonumber(count)
for at = 6, #ARGV do
  last = last + 1
  local number = string.format('%.0f', last)
  redis.call('ZADD', log, number, number .. ':' .. ARGV[at])
end
local text = string.format('%.0f', last)
if #ARGV > 5 then
  redis.call('ZREMRANGEBYSCORE', log, '-inf', string.format('%.0f', last - tonumber(keep)))
end
redis.call('HSET', progress, id, made .. ':' .. present .. ':' .. text .. ':' .. rest)
return tonumber(count)
