-- KEYS: record, keys, all, open, of the owner. ARGV: id, data, place, field of its key or '', '1' if it has an owner.
-- The record that has the key is found under a name made here: all keys share one hash tag, and so one node.
-- Returns the record that has the key already, or false. An id that is taken is an error.
local record, keys, all, open, owner = unpack(KEYS)
local id, data, place, field, owned = unpack(ARGV)
if field ~= '' then
  local other = redis.call('HGET', keys, field)
  if other then
    local kept = redis.call('GET', '{work}:r:' .. other)
    if kept then
      return kept
    end
  end
end
if redis.call('EXISTS', record) == 1 then
  return redis.error_reply('ERR the id is taken')
end
redis.call('SET', record, data)
if field ~= '' then
  redis.call('HSET', keys, field, id)
end
redis.call('ZADD', all, 0, place)
redis.call('ZADD', open, 0, place)
if owned == '1' then
  redis.call('ZADD', owner, 0, place)
end
return false
