/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whom the confined parser becomes, by what passwd(5) may hold. */
#include "sandbox/helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOT "root:x:0:0:root:/root:/bin/bash\n"
#define OURS "_pvboot-parse:x:987:986::/nonexistent:/usr/sbin/nologin\n"
#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100
#define LONG "long:x:5:5:" X1000 X1000 X1000 X1000 X100 ":/:/\n"
#define SHORTER "long:x:5:5:" X1000 X1000 X1000 X1000 ":/:/\n"

static void rows(void **state)
{
    static const struct {
        const char *name, *text;
        uint32_t uid, gid;
    } row[] = {
        { "ours, last", ROOT OURS, 987, 986 },
        { "ours, first", OURS ROOT, 987, 986 },
        { "the first of two", OURS "_pvboot-parse:x:7:7::/:/\n", 987, 986 },
        { "without an end of line", "_pvboot-parse:x:987:986::/:/", 987, 986 },
        { "not there", ROOT, 65534, 65534 },
        { "empty", "", 65534, 65534 },
        { "alike", "_pvboot-parser:x:7:7::/:/\n_pvboot:x:7:7::/:/\n", 65534, 65534 },
        { "root's number", "_pvboot-parse:x:0:986::/:/\n", 65534, 65534 },
        { "root's group", "_pvboot-parse:x:987:0::/:/\n", 65534, 65534 },
        { "no change", "_pvboot-parse:x:4294967295:986::/:/\n", 65534, 65534 },
        { "no number", "_pvboot-parse:x:one:two::/:/\n", 65534, 65534 },
        { "no line of the kind", "_pvboot-parse\n:::\n" ROOT, 65534, 65534 },
        { "behind what is no line of the kind", ":::\n\n#\n" OURS, 987, 986 },
        { "behind a line that is not too long", SHORTER OURS, 987, 986 },
        { "behind a line that is too long", LONG OURS, 65534, 65534 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char path[] = "/tmp/pvboot-unit.XXXXXX";
        int fd = mkstemp(path);
        struct pvb_user u;

        assert_int_equal(write(fd, row[i].text, strlen(row[i].text)), strlen(row[i].text));
        close(fd);
        u = pvb_parser_user(path);
        unlink(path);
        if (u.uid != row[i].uid || u.gid != row[i].gid)
            fail_msg("%s: %u:%u", row[i].name, u.uid, u.gid);
    }
}

static void no_file(void **state)
{
    struct pvb_user u = pvb_parser_user("/nonexistent/passwd");

    (void)state;
    assert_int_equal(u.uid, 65534);
    assert_int_equal(u.gid, 65534);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows), cmocka_unit_test(no_file) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
