# SPDX-License-Identifier: Apache-2.0
# How C becomes binaries. Sources are found by folder: services/<name>, commands/<name> and
# libshared/<part> need no line here. SAN=address,undefined builds beside the normal objects.

BUILD   ?= build
SAN     ?=
OUT     := $(BUILD)$(if $(SAN),/san)
CC      := gcc
VERSION ?= $(shell cat VERSION)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

PACKAGES := jansson rdkafka hiredis libmicrohttpd libpq libcurl expat libsodium libarchive yaml-0.1 \
            libpcre2-8 zlib
SERVICES := api-ingest scheduler executor result-collector notifier
COMMANDS := verdict verdict-admin

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wformat=2 -Wundef -Wvla -Wpointer-arith -Wcast-qual -Wwrite-strings -Wnull-dereference \
            -Wimplicit-fallthrough -Werror
HARDEN   := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fstack-clash-protection \
            -fcf-protection -fPIE
CPPFLAGS += -D_GNU_SOURCE -Ilibshared
CFLAGS   += -std=c17 -O2 -g $(WARNINGS) $(HARDEN) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
LDFLAGS  += -pie -Wl,-z,relro,-z,now,--as-needed $(if $(SAN),-fsanitize=$(SAN))
LDLIBS   := -pthread
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
CMOCKA_LIBS := $(shell pkg-config --libs cmocka 2>/dev/null)

find_c   = $(shell find $(1) -name '*.c' 2>/dev/null | sort)
objects  = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

SHARED_SRC := $(call find_c,libshared)
LIBSHARED  := $(OUT)/lib/libshared.a
BINARIES   := $(foreach s,$(SERVICES),$(if $(wildcard services/$(s)/main.c),$(OUT)/bin/verdict-$(s))) \
              $(foreach c,$(COMMANDS),$(if $(wildcard commands/$(c)/main.c),$(OUT)/bin/$(c)))

binaries: $(BINARIES)

# $(1) archive name, $(2) objects. The list changes when a source goes: then its object goes as well.
define archive
$(OUT)/lib/$(1).list: FORCE
	@mkdir -p $$(@D)
	@echo '$(2)' | cmp -s - $$@ || echo '$(2)' >$$@
$(OUT)/lib/$(1).a: $(2) $(OUT)/lib/$(1).list
	@rm -f $$@ && ar rcs $$@ $(2)
endef
$(eval $(call archive,libshared,$(call objects,$(SHARED_SRC))))

# $(1) folder, $(2) archive name, $(3) binary: everything but main.o can be linked into tests.
define program
$(OUT)/obj/$(1)/%.o: CPPFLAGS += -I$(1)
$(call archive,$(2),$(call objects,$(filter-out $(1)/main.c,$(call find_c,$(1)))))
$(OUT)/bin/$(3): $(OUT)/obj/$(1)/main.o $(OUT)/lib/$(2).a $(LIBSHARED)
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	@$(CC) $(LDFLAGS) -o $$@ $$^ $(PKG_LIBS) $(LDLIBS)
endef
$(foreach s,$(SERVICES),$(eval $(call program,services/$(s),$(s),verdict-$(s))))
$(foreach c,$(COMMANDS),$(eval $(call program,commands/$(c),$(c),$(c))))

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The report page's style and code are embedded, and what is written by hand of the OpenAPI document.
$(OUT)/obj/services/api-ingest/report/assets.o: services/api-ingest/report/page.css services/api-ingest/report/page.js
$(OUT)/obj/services/api-ingest/openapi/page.o: services/api-ingest/openapi/page.css
$(OUT)/obj/services/api-ingest/openapi/words.o: $(wildcard services/api-ingest/openapi/*.json)

# The version is stamped into one object, which is made again when it changes.
$(OUT)/obj/libshared/base/version.o: CPPFLAGS += -DVERDICT_VERSION='"$(VERSION)"' -DVERDICT_COMMIT='"$(COMMIT)"'
$(OUT)/obj/libshared/base/version.o: $(OUT)/version.stamp
$(OUT)/version.stamp: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(COMMIT)' | cmp -s - $@ || echo '$(VERSION) $(COMMIT)' > $@

# Unit tests: tests/unit/<mirror of the source>_test.c. The linker takes from the archives only what
# a test needs: a test of services/scheduler/match.c sees the scheduler's archive and libshared.
UNIT_SRC  := $(call find_c,tests/unit)
UNIT_BIN  := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(UNIT_SRC))
unit_kind  = $(word 1,$(subst /, ,$(1)))
unit_owner = $(word 2,$(subst /, ,$(1)))
# (The stem there is that of $(OUT)/obj/%.o.)
unit_path  = $(subst /, ,$(patsubst tests/unit/%,%,$*))
$(OUT)/obj/tests/unit/%.o: CPPFLAGS += $(if $(filter services commands,$(word 1,$(unit_path))),-I$(word 1,$(unit_path))/$(word 2,$(unit_path))) -Itests/unit
.SECONDEXPANSION:
$(OUT)/unit/%: $(OUT)/obj/tests/unit/%.o $$(if $$(filter services commands,$$(call unit_kind,$$*)),$(OUT)/lib/$$(call unit_owner,$$*).a) $(LIBSHARED)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(CMOCKA_LIBS) $(LDLIBS)

# The fuzz targets, fed with their seeds alone.
REPLAYS := $(patsubst tests/fuzz/%_fuzz.c,$(OUT)/replay/%_test,$(filter %_fuzz.c,$(call find_c,tests/fuzz)))
FUZZED := $(foreach part,api-ingest executor notifier verdict libshared,$(OUT)/lib/$(part).a)
$(OUT)/obj/tests/fuzz/%.o: CPPFLAGS += -Iservices/api-ingest -Iservices/executor -Iservices/notifier -Icommands/verdict
$(OUT)/replay/%_test: $(OUT)/obj/tests/fuzz/%_fuzz.o $(OUT)/obj/tests/fuzz/replay.o $(FUZZED)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(CMOCKA_LIBS) $(LDLIBS)

# And under libFuzzer: tests/fuzz/run makes them, with clang.
FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(filter %_fuzz.c,$(call find_c,tests/fuzz)))
$(OUT)/fuzz/%: $(OUT)/obj/tests/fuzz/%.o $(FUZZED)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) $(LDLIBS)
fuzzers: $(FUZZERS)

units: $(UNIT_BIN) $(REPLAYS)

# Small programs that service tests start: each file of tests/service/probe is one.
PROBES := $(patsubst tests/service/probe/%.c,$(OUT)/probe/%,$(call find_c,tests/service/probe))
$(OUT)/probe/%: $(OUT)/obj/tests/service/probe/%.o $(LIBSHARED)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LDLIBS)
# And the programs of the benches: each file of tests/bench is one. The one that stamps is static: what is
# measured ends with exec, not with the linker of the program that a test happens to be.
BENCHES := $(patsubst tests/bench/%.c,$(OUT)/bench/%,$(call find_c,tests/bench))
$(OUT)/bench/stamp: BENCH_LIBS := -static-pie
$(OUT)/bench/%: BENCH_LIBS = $(PKG_LIBS)
$(OUT)/bench/%: $(OUT)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS) $(LDLIBS)
binaries: $(PROBES) $(BENCHES)

# Unit tests only, in seconds, under the sanitizers. Prints each failing test and a summed line.
check: ## the unit tests, in seconds
	@$(MAKE) --no-print-directory SAN=address,undefined run-units
run-units: units
	@tests/unit/run $(sort $(filter %_test,$(UNIT_BIN)) $(REPLAYS))

# The programs find what is in share/verdict by their own place.
PREFIX ?= /usr/local
SHARE   = $(DESTDIR)$(PREFIX)/share/verdict
# $(1) the command that prints it, $(2) the file below share that it becomes.
printed = $(OUT)/bin/$(1) | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/$(2)
install: binaries ## install below DESTDIR and PREFIX (default /usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/migrations
	install -m 755 $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard migrations/*.sql) $(SHARE)/migrations
	cd integrations && find . -type f -not -name '*.pyc' -exec \
		install -D -m 644 '{}' '$(SHARE)/plugins/{}' \;
	$(call printed,verdict completion bash,bash-completion/completions/verdict)
	$(call printed,verdict completion zsh,zsh/site-functions/_verdict)
	$(call printed,verdict completion fish,fish/vendor_completions.d/verdict.fish)
	$(call printed,verdict manual,man/man1/verdict.1)
	$(call printed,verdict-admin manual,man/man8/verdict-admin.8)

clean: ## remove what was built
	rm -rf $(BUILD)

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
.PHONY: binaries units fuzzers check run-units install clean FORCE
.PRECIOUS: $(OUT)/obj/%.o
