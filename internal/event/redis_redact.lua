-- Takes the payloads of a subject. KEYS: its versions, its hash.
for _, version in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  redis.call('HDEL', KEYS[2], version .. ':data')
end
return 1
