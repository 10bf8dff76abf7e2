-- KEYS: record, open. ARGV: data before, data after, place, '1' if it has not ended.
-- Returns 1, or 0 if the record is not what it was before.
local record, open = unpack(KEYS)
local before, after, place, going = unpack(ARGV)
if redis.call('GET', record) ~= before then
  return 0
end
redis.call('SET', record, after)
if going == '1' then
  redis.call('ZADD', open, 0, place)
else
  redis.call('ZREM', open, place)
end
return 1
