-- SPDX-License-Identifier: Apache-2.0
-- GET. Words: token, file of paths, one a line: each thread goes through its own part of them, round
-- and round.
dofile(debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") .. "/done.lua")

local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(words)
   local head = { ["Authorization"] = "Bearer " .. words[1] }
   local line = 0
   requests = {}
   for path in io.lines(words[2]) do
      if line % 2 == number % 2 then
         requests[#requests + 1] = wrk.format("GET", path, head)
      end
      line = line + 1
   end
   if #requests == 0 then
      requests[1] = wrk.format("GET", io.lines(words[2])(), head)
   end
   next = 0
end

function request()
   next = next % #requests + 1
   return requests[next]
end
