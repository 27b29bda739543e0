/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where everything of a guest would lie: planner KERNEL [MiB].  C or C++; needs no Xen and no privilege.
 * cc -o planner planner.c $(pkg-config --cflags --libs pvboot) */
#include <pvboot/plan.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct pvboot_kernel *kernel = pvboot_kernel_new();
    struct pvboot_confine *confine = pvboot_confine_new();
    struct pvboot_request *wish = pvboot_request_new();
    struct pvboot_plan *plan = pvboot_plan_new();
    static struct pvboot_machine machine;
    static struct pvboot_error error; /* zeroes: nothing failed yet */
    static char helper[4096], text[512];
    uint64_t mib = argc > 2 ? strtoull(argv[2], NULL, 10) : 256;
    int rc = argc > 1 && kernel && confine && wish && plan ? 0 : -PVBOOT_E_USAGE;

    if (!rc) { /* parsed by another process, which can do nothing else: one beside this program, or the installed one */
        confine->helper = pvboot_confine_helper(argv[0], helper, sizeof(helper));
        rc = pvboot_kernel_open_confined(kernel, argv[1], confine, &error);
    }
    rc = rc ? rc : pvboot_machine_default(&machine, mib << 20, 1, &error);
    rc = rc ? rc : pvboot_plan_make(plan, &kernel->image, &machine, wish, &error);
    rc = rc ? rc : pvboot_plan_check(plan, &kernel->image, &error);
    for (int i = 0; !rc && i < PVBOOT_SEGMENTS; i++)
        if (plan->seg[i].end)
            printf("%#11llx %#11llx  %s: %s\n", (unsigned long long)plan->seg[i].start,
                   (unsigned long long)plan->seg[i].end, pvboot_segment_name((enum pvboot_segment_id)i),
                   plan->seg[i].why);
    if (rc)
        fprintf(stderr, "%s\n", error.code ? pvboot_error_line(&error, text, sizeof(text)) : "planner KERNEL [MiB]");
    pvboot_plan_free(plan);
    pvboot_request_free(wish);
    pvboot_confine_free(confine);
    pvboot_kernel_free(kernel);
    return -rc; /* the class, as pvboot itself exits */
}
