-- Replaces the first events of a subject by one, or does nothing when they are no longer those that were folded: others were
-- compacted, or their payloads were redacted meanwhile. Read does not have them, and what it does not have never comes back to it.
-- KEYS: versions, hash. ARGV: first and last version, how many events, how many of them with a payload, and the envelope and
-- payload to come in the place of the last one, the payload empty when there is none.
-- Returns how many events it replaced.
local first, last, count, payloads, envelope, payload = unpack(ARGV)
local versions = redis.call('ZRANGE', KEYS[1], '-', '[' .. last, 'BYLEX', 'LIMIT', 0, tonumber(count) + 1)
if #versions ~= tonumber(count) or versions[1] ~= first or versions[#versions] ~= last then return 0 end
local found = 0
for _, version in ipairs(versions) do
  found = found + redis.call('HEXISTS', KEYS[2], version .. ':data')
end
if found ~= tonumber(payloads) then return 0 end

redis.call('HSET', KEYS[2], last, envelope) -- what may be refused for want of memory comes first
if payload == '' then
  redis.call('HDEL', KEYS[2], last .. ':data')
else
  redis.call('HSET', KEYS[2], last .. ':data', payload)
end
for index = 1, #versions - 1 do
  local version = versions[index]
  redis.call('HDEL', KEYS[2], version, version .. ':data')
  redis.call('ZREM', KEYS[1], version)
end
return #versions
