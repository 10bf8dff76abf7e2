-- Appends a batch of one source, or nothing: first it looks, then it writes.
-- KEYS: log, stream, ids, former ids, sequences, heard, subjects; then for each subject of the batch its versions and its hash.
-- ARGV: source, an id for a new log, the batch's highest sequence, how long ids are kept (microseconds); then for each event
-- the seven values that add() in redis_append.go writes.
-- Versions and sequences have 19 digits and are compared as text: Lua's numbers are exact up to 2^53 only. Positions and
-- microseconds stay below that.
-- Returns {"kept", sequence} or {"gap", index, version of the subject}.
local log, stream, ids, former, sequences, heard, subjects = unpack(KEYS, 1, 7)
local source, new, sequence, keep = unpack(ARGV, 1, 4)
local none = '0000000000000000000'
local function text(number) return string.format('%.0f', number) end

local versions, taken, fresh = {}, {}, {}
for at = 5, #ARGV, 7 do
  local id, key, version, predecessor, snapshot, envelope = unpack(ARGV, at, at + 5)
  local index, hash = KEYS[tonumber(key)], KEYS[tonumber(key) + 1]
  local current = versions[index] or redis.call('ZRANGE', index, -1, -1)[1] or none
  versions[index] = current
  local known = taken[id] or redis.call('SISMEMBER', ids, id) == 1 or redis.call('SISMEMBER', former, id) == 1
  if not known and version <= current then -- its id may be older than the index
    local mark = #id .. ':' .. id
    known = string.sub(redis.call('HGET', hash, version) or '', 1, #mark) == mark
  end
  if not known then
    local follows = predecessor == current
    if snapshot == '1' then
      follows = current == none and version > none
    end
    if follows then
      fresh[#fresh + 1] = at
      versions[index], taken[id] = version, true
    elseif snapshot == '0' or current == none or version > current then
      return {'gap', text((at - 5) / 7), current}
    end
  end
end

local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
redis.call('HSET', heard, source, now)
local before = redis.call('HGET', sequences, source) or none
if before < sequence then
  redis.call('HSET', sequences, source, sequence)
else
  sequence = before
end
if #fresh == 0 then
  return {'kept', sequence}
end

redis.call('HSETNX', log, 'id', new)
local state = redis.call('HMGET', log, 'last', 'recorded', 'ids since')
local last, recorded = tonumber(state[1] or '0'), state[2] or now
if tonumber(recorded) < tonumber(now) then
  recorded = now
end
if not state[3] then
  redis.call('HSET', log, 'ids since', now)
elseif tonumber(now) - tonumber(state[3]) >= tonumber(keep) then
  redis.call('UNLINK', former)
  if redis.call('EXISTS', ids) == 1 then
    redis.call('RENAME', ids, former)
  end
  redis.call('HSET', log, 'ids since', now)
end
for _, at in ipairs(fresh) do
  local id, key, version, _, _, envelope, payload = unpack(ARGV, at, at + 6)
  local index, hash = KEYS[tonumber(key)], KEYS[tonumber(key) + 1]
  local subject = string.sub(hash, #'{ev}:s:' + 1)
  last = last + 1
  local position = text(last)
  envelope = envelope .. #position .. ':' .. position
  redis.call('XADD', stream, position .. '-0', 'recorded', recorded, 'subject', subject, 'version', version, 'envelope', envelope)
  redis.call('ZADD', index, 0, version)
  redis.call('HSET', hash, version, envelope, version .. ':data', payload)
  redis.call('ZADD', subjects, 0, subject)
  redis.call('SADD', ids, id)
end
redis.call('HSET', log, 'last', text(last), 'recorded', recorded)
return {'kept', sequence}
