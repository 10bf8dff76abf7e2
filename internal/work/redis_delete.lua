-- KEYS: record, keys, all, open, due, owners, of the owner. ARGV: data, id, place, field of its key or '', its owner's id or ''.
-- Returns 1, or 0 if the record is not what it was.
local record, keys, all, open, due, owners, of = unpack(KEYS)
local data, id, place, field, owner = unpack(ARGV)
if redis.call('GET', record) ~= data then
  return 0
end
redis.call('DEL', record)
if field ~= '' and redis.call('HGET', keys, field) == id then
  redis.call('HDEL', keys, field)
end
for _, index in ipairs({all, open, due, of}) do
  redis.call('ZREM', index, place)
end
if owner ~= '' then
  local left = redis.call('ZCARD', of)
  if left > 0 then
    redis.call('ZADD', owners, left, owner)
  else
    redis.call('ZREM', owners, owner)
  end
end
return 1
