-- KEYS: record, keys, all, open, due, owners, of the owner. ARGV: id, data, place, field of its key or '', its owner's id or '', '1' if it has
-- not ended, '1' if it is due.
-- The record that has the key is found under a name made here: all keys share one hash tag, and so one node.
-- Returns the record that has the key already, or false. An id that is taken is an error.
local record, keys, all, open, due, owners, of = unpack(KEYS)
local id, data, place, field, owner, going, isDue = unpack(ARGV)
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
if going == '1' then
  redis.call('ZADD', open, 0, place)
end
if isDue == '1' then
  redis.call('ZADD', due, 0, place)
end
if owner ~= '' then
  redis.call('ZADD', of, 0, place)
  redis.call('ZADD', owners, redis.call('ZCARD', of), owner)
end
return false
