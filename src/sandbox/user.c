/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whom root's helper becomes: a user that the package made for it, so that nothing else on the host shares its number.
 * By the file and not by getpwnam(): that would load whatever serves names here into a program that is not ours, and
 * users of packages are in the file.
 */
#include "helper.h"

#include <pwd.h>
#include <stdio.h>

#define NAME "_pvboot-parse"
#define NOBODY 65534u /* by number: the host may have no such file */

/* Root is what the helper must not stay, and -1 is no change to setresuid(). */
static bool fits(const struct passwd *p)
{
    return !strcmp(p->pw_name, NAME) && p->pw_uid && p->pw_uid != (uid_t)-1 && p->pw_gid && p->pw_gid != (gid_t)-1;
}

struct pvb_user pvb_parser_user(const char *passwd)
{
    struct pvb_user user = { NOBODY, NOBODY };
    FILE *f = fopen(passwd, "re");
    struct passwd p, *found;
    char line[4096];

    while (f && !fgetpwent_r(f, &p, line, sizeof(line), &found))
        if (fits(&p)) {
            user = (struct pvb_user){ p.pw_uid, p.pw_gid };
            break;
        }
    if (f)
        fclose(f);
    return user;
}
