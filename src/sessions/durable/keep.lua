-- Adds to what others had kept for a node that is gone. Several nodes may go on with its sessions, and find the same.
--   KEYS  what is kept for that node
--   ARGV  of each publication: its field (`c:<channel> <id>`), how many packets it has, these as a batch
-- Each that is new gets the numbers that follow on those before, which are counted in the field `#`. Returns how many are new.
local new = 0
for at = 1, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 0 then
    local last = redis.call('HINCRBY', KEYS[1], '#', ARGV[at + 1])
    local first = string.format('%.0f', last - ARGV[at + 1] + 1)
    redis.call('HSET', KEYS[1], ARGV[at], first .. '|' .. ARGV[at + 2])
    new = new + 1
  end
end
return new
