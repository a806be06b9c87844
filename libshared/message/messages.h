/* SPDX-License-Identifier: Apache-2.0 */
/* All message types, for who handles many. */
#pragma once

#include "message/delivery_request.h"
#include "message/event.h"
#include "message/resync.h"
#include "message/run_request.h"
#include "message/run_submitted.h"
#include "message/scheduler_hello.h"
#include "message/scheduler_probe.h"
#include "message/task_cancel.h"
#include "message/task_dispatch.h"
#include "message/task_recorded.h"
#include "message/task_started.h"
#include "message/task_stream.h"
#include "message/worker_heartbeat.h"
#include "message/worker_sync.h"
