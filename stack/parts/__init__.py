# SPDX-License-Identifier: Apache-2.0
"""The parts that a private stack is made of: processes, the three servers, Verdict's services."""
