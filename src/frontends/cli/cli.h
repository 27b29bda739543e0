/* SPDX-License-Identifier: LGPL-2.1-only */
/* The verbs of the `pvboot` program.  Each returns 0 or -class; only main() prints an error. */
#ifndef PVB_CLI_H
#define PVB_CLI_H

#include "../../builder/base/base.h"
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <pvboot/confine.h>
#include <pvboot/file.h>

/* -class with @e empty: what there is to say has been said. */
typedef int cli_main(int argc, char **argv, struct pvboot_error *e);
cli_main cli_inspect, cli_plan, cli_dump, cli_decode, cli_check, cli_pack, cli_diff, cli_cache, cli_launch;

/* args.c */

struct cli_args {
    int argc;
    char **argv;
    const char *letters; /* short options, with ':' before them, as getopt() wants them */
    const struct option *options;
    struct pvboot_error *e;
};
/* Refused, and @e says why. */
#define CLI_REFUSED ':'
/* The next option, or -1 at the end, or CLI_REFUSED; @name gets a long option's name. */
int cli_getopt(const struct cli_args *a, const char **name);
/* All operands the options leave; -USAGE when there is none. */
int cli_operands(const struct cli_args *a, const char *what, char ***operands, int *n) PVB_CHECKED;
/* The one operand the options leave; -USAGE when there is not exactly one. */
int cli_operand(const struct cli_args *a, const char *what, const char **operand) PVB_CHECKED;
/* latest.c, in place of an operand: the kernel in /boot with the highest version, in @path.  -UNREADABLE: none; -USAGE. */
int cli_latest_kernel(const struct cli_args *a, char *path, size_t n) PVB_CHECKED;
/* Option @name, "force-subarch", as the request's key "force_subarch"; @value NULL: "yes".  As pvboot_request_set(). */
int cli_set_request(struct pvboot_request *req, const char *name, const char *value,
                    struct pvboot_error *e) PVB_CHECKED;
/* Decimal or 0x hexadecimal up to @max, and nothing else; -USAGE names @option. */
int cli_number(const char *option, const char *text, uint64_t max, uint64_t *value, struct pvboot_error *e) PVB_CHECKED;

/* config.c, or config_none.c where there was no libxlutil to build with: an xl.cfg. */

/* What a config that says builder="pvboot" would have xl build. */
struct cli_config {
    struct pvboot_request req;
    uint64_t memory_mib, vcpus;
    const char *kernel; /* NULL: none; as all strings, of @owned */
    uint32_t n_ramdisks;
    const char *ramdisk[PVBOOT_RAMDISKS_MAX];
    void *owned;
};
/* @c->req holds the defaults.  -USAGE, also for a config that is not ours; -UNSUPPORTED: built without; -HOST. */
int cli_config_open(struct cli_config *c, const char *path, struct pvboot_error *e) PVB_CHECKED;
void cli_config_dispose(struct cli_config *c); /* accepts a zeroed struct */

/* guest.c: what `plan` and `dump` have in common */
struct cli_guest {
    bool json, latest;
    const char *dir; /* -o */
    const char *image;
    char latest_path[PATH_MAX];
    struct cli_config config;
    struct pvboot_machine machine;
    struct pvboot_request req;
    struct pvboot_file ramdisk[PVBOOT_RAMDISKS_MAX];
    struct pvboot_kernel kernel;
    struct pvboot_plan plan;
};

/* Parse the options and read every file they name. */
int cli_guest_open(struct cli_guest *c, int argc, char **argv, struct pvboot_error *e) PVB_CHECKED;
void cli_guest_dispose(struct cli_guest *c);

/* kernel.c: the image, opened by the confined parser. */

/* --sandbox's default is $PVBOOT_SANDBOX, for those who always need another than strict. */
int cli_sandbox_default(struct pvboot_request *req, struct pvboot_error *e) PVB_CHECKED;
/* The confined parser: the one beside this program, or where it is installed. */
void cli_helper(char *helper, size_t n);
/*
 * @c says whether to unpack always, and gets what is told; the rest of it comes from @req.  Tells on standard error what
 * the sandbox had to do without.
 */
int cli_kernel_open(struct pvboot_kernel *k, const char *image, const struct pvboot_request *req,
                    struct pvboot_confine *c, struct pvboot_error *e) PVB_CHECKED;

/* ramdisks.c: those that options name, each a file or a directory; @n at @path.  Disposed of by the caller. */
int cli_read_ramdisks(struct pvboot_file file[PVBOOT_RAMDISKS_MAX], struct pvboot_request *req, const char *const *path,
                      uint32_t n, struct pvboot_error *e) PVB_CHECKED;

/* show.c: for people */
void cli_show_plan(const struct pvboot_plan *plan);
void cli_show_image(const char *path, const json_t *image);
/* fold.c: @first and @text and a newline; on a terminal in lines of its width, the further ones from @column on. */
void cli_fold(int column, const char *first, const char *text);
/* meaning.c: what @value of the field called @key says, "(LOADED_HIGH, QUIET_FLAG)"; "": nothing to say. */
void cli_meaning(const char *key, uint64_t value, char *text, size_t n);
/* Any object, a line per value; numbers in both bases. */
void cli_show_json(const json_t *o);
/* The object as `--json` prints it; takes the reference.  -HOST: NULL, or no memory. */
int cli_print_json(json_t *o, struct pvboot_error *e) PVB_CHECKED;
bool cli_has_printed_json(void); /* then an error is not printed as JSON behind it */
/* Of what --json prints, docs/pvboot.schema.json: keys may come, none goes or changes its meaning within a version. */
#define CLI_JSON_VERSION 1

#endif
