-- KEYS: record, keys, all, open, of the owner. ARGV: id, place, field of its key or ''.
local record, keys, all, open, owner = unpack(KEYS)
local id, place, field = unpack(ARGV)
redis.call('DEL', record)
if field ~= '' and redis.call('HGET', keys, field) == id then
  redis.call('HDEL', keys, field)
end
redis.call('ZREM', all, place)
redis.call('ZREM', open, place)
redis.call('ZREM', owner, place)
return 1
