-- Takes what was recorded up to a time (ARGV, microseconds) out of the stream. KEYS: log, stream. Positions have no gaps and
-- the time of recording never falls with them, so it halves the range until it has the first entry that stays.
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if not first then return 0 end
local function text(number) return string.format('%.0f', number) end
local low, high = tonumber(string.match(first[1], '^%d+')), tonumber(redis.call('HGET', KEYS[1], 'last'))
while low <= high do
  local middle = math.floor((low + high) / 2)
  local id = text(middle) .. '-0'
  if tonumber(redis.call('XRANGE', KEYS[2], id, id)[1][2][2]) <= tonumber(ARGV[1]) then
    low = middle + 1
  else
    high = middle - 1
  end
end
return redis.call('XTRIM', KEYS[2], 'MINID', '=', text(low) .. '-0')
