-- SPDX-License-Identifier: Apache-2.0
-- POST /v1/runs, a key of its own each. Words: token, what keys begin with, suite, how many requests a
-- thread sends (0: until the time is over).
dofile(debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") .. "/done.lua")

local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(words)
   head = { ["Authorization"] = "Bearer " .. words[1], ["Content-Type"] = "application/json" }
   body = '{"project": "bench", "suite": "' .. words[3] .. '"}'
   prefix = words[2] .. "-" .. number .. "-"
   most = tonumber(words[4])
   sent, answered = 0, 0
   if most > 0 then
      response = function()
         answered = answered + 1
         if answered >= most then
            wrk.thread:stop()
         end
      end
   end
end

function request()
   sent = sent + 1
   head["Idempotency-Key"] = prefix .. sent
   return wrk.format("POST", "/v1/runs", head, body)
end
