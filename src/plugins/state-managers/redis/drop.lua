-- Deletes the state of a session that has ended. The epoch of one that was claimed is remembered: its former owner may still be there.
--   KEYS  the hash, the epoch that it has been claimed with (one slot)
--   ARGV  epoch of the owner, how long it is remembered (ms)
-- Returns how many hashes were deleted. Returns -1 and deletes nothing if the session has been claimed with a higher epoch.
local claimed = redis.call('GET', KEYS[2])
if claimed and tonumber(claimed) > tonumber(ARGV[1]) then return -1 end
if claimed or tonumber(ARGV[1]) > 0 then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return redis.call('DEL', KEYS[1])
