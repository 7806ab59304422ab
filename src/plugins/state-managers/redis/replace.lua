-- Makes the state of a session hold these pairs and nothing else.
--   KEYS  the hash, the epoch that it has been claimed with (one slot)
--   ARGV  epoch of the writer, time to live (ms), then fields and values in turn
-- Returns how many fields the hash has now. Returns -1 and writes nothing if the session has been claimed with a higher epoch.
local claimed = redis.call('GET', KEYS[2])
if claimed and tonumber(claimed) > tonumber(ARGV[1]) then return -1 end
redis.call('DEL', KEYS[1])
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return redis.call('HLEN', KEYS[1])
