-- KEYS: record, open, due. ARGV: data before, data after, place, '1' if it has not ended, '1' if it is due.
-- Returns 1, or 0 if the record is not what it was before.
local record = KEYS[1]
local before, after, place = unpack(ARGV)
if redis.call('GET', record) ~= before then
  return 0
end
redis.call('SET', record, after)
for i, index in ipairs({KEYS[2], KEYS[3]}) do
  if ARGV[3 + i] == '1' then
    redis.call('ZADD', index, 0, place)
  else
    redis.call('ZREM', index, place)
  end
end
return 1
