-- Makes, changes or removes a consumer, if it is as it was read.
-- KEYS: fixed, progress, leases, made, the consumer's log.
-- ARGV: id, fixed and progress as they were read, "" for none; fixed to keep, "" to remove; revision:deliveries:progress to keep;
-- the number of its making, 0 if it is made now.
-- Returns 1 if it was done.
local fixed, progress, leases, made, log = unpack(KEYS)
local id, was, moved, keep, state, number = unpack(ARGV)
if (redis.call('HGET', fixed, id) or '') ~= was or (redis.call('HGET', progress, id) or '') ~= moved then
  return 0
end
if keep == '' then
  redis.call('HDEL', fixed, id)
  redis.call('HDEL', progress, id)
  redis.call('HDEL', leases, id)
  redis.call('UNLINK', log)
  return 1
end
if number == '0' then
  number = string.format('%.0f', redis.call('INCR', made))
end
redis.call('HSET', fixed, id, keep)
redis.call('HSET', progress, id, number .. ':' .. state)
return 1
