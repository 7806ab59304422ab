-- Reads a part of one channel's history.
--   KEYS  as of append.lua
--   ARGV  epoch that the bounds are of ('': any), since and before ('': none), limit, time to live of entries (ms), of the hash; epoch and
--         offset that the caller has seen, the epoch to begin if there is none
-- Returns epoch, last offset, 1 if the bounds are of that epoch, the oldest offset that is kept (0: none), then the entries: offset, time,
-- content. A channel that has none begins an epoch.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = redis.call('HGET', KEYS[1], 'e')
local offset = tonumber(redis.call('HGET', KEYS[1], 'o') or 0)
if not epoch or epoch < ARGV[7] or (epoch == ARGV[7] and offset < tonumber(ARGV[8])) then
  redis.call('DEL', KEYS[1], KEYS[2])
  epoch = ARGV[9]
  offset = 0
  redis.call('HSET', KEYS[1], 'e', epoch, 'o', 0)
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
local same = ARGV[1] == '' or ARGV[1] == epoch
-- What is too old goes now: the oldest are in front.
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
while oldest and now - tonumber(oldest[2][2]) >= tonumber(ARGV[5]) do
  redis.call('XDEL', KEYS[2], oldest[1])
  oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
end
local function place(entry) return tonumber(string.match(entry[1], '^%d+')) end
local reply = { epoch, offset, same and 1 or 0, oldest and place(oldest) or 0 }
local from, to = '-', '+'
if same and ARGV[2] ~= '' then from = (tonumber(ARGV[2]) + 1) .. '-0' end
if same and ARGV[3] ~= '' then to = (tonumber(ARGV[3]) - 1) .. '-0' end
local limit = tonumber(ARGV[4])
if limit == 0 or to == '0-0' or to == '-1-0' then return reply end
local entries
if ARGV[2] ~= '' then
  entries = redis.call('XRANGE', KEYS[2], from, to, 'COUNT', limit)
else
  entries = redis.call('XREVRANGE', KEYS[2], to, from, 'COUNT', limit)
end
local first, last, step = 1, #entries, 1
if ARGV[2] == '' then first, last, step = #entries, 1, -1 end
for at = first, last, step do
  local entry = entries[at]
  reply[#reply + 1] = place(entry)
  reply[#reply + 1] = entry[2][2]
  reply[#reply + 1] = entry[2][4]
end
return reply
