/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who filled the zero page?  What a kernel, a stub or a unikernel does with handover.h, as a program without any library:
 *
 *     cc -O2 -ffreestanding -nostdlib -static -fno-stack-protector -o reader reader.c
 *     pvboot dump -o guest /boot/vmlinuz && cat guest/zero-page guest/setup_data | ./reader
 *
 * In a guest, memory_at() is pvboot_identity_at(), and the zero page is where RSI pointed at the first instruction.
 */
#include <pvboot/handover.h>

#define PAGE 4096u
#define SETUP_DATA 0x250 /* zero-page.rst: u64, the head of the chain */

static uint8_t input[4 * PAGE]; /* the zero page, then what setup_data points to */
static uint64_t used;

/* The chain's memory begins where its head is. */
static const uint8_t *memory_at(const void *ctx, uint64_t gpa, uint64_t n)
{
    uint64_t head = *(const uint64_t *)ctx, there = used - PAGE;

    return gpa >= head && gpa - head <= there && n <= there - (gpa - head) ? input + PAGE + (gpa - head) : NULL;
}

static long call(long number, long a, const void *b, uint64_t c)
{
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return number;
}

static void say(const char *text, uint64_t n)
{
    call(1, 1, text, n);
}

static void say_number(const char *name, uint64_t bytes, uint64_t value)
{
    char digits[17];

    for (int i = 15; i >= 0; i--, value >>= 4)
        digits[i] = "0123456789abcdef"[value & 15];
    digits[16] = '\n';
    say(name, bytes);
    say(digits, sizeof(digits));
}
#define SAY_NUMBER(name, value) say_number(name " 0x", sizeof(name " 0x") - 1, value)

static int look(void)
{
    uint64_t head = pvboot_le64(input + SETUP_DATA);
    const struct pvboot_view view = { memory_at, &head };
    struct pvboot_handover h;
    struct pvboot_tlv t;
    const uint8_t *payload;
    enum pvboot_handover_status status = pvboot_handover_find(head, view, &h, &payload);

    if (status != PVBOOT_HANDOVER_OK) {
        SAY_NUMBER("no hypervisor node: status", status);
        return (int)status;
    }
    say("hypervisor ", 11);
    say(h.signature, sizeof(h.signature));
    SAY_NUMBER("\nfilled by", h.filler);
    SAY_NUMBER("start info at", h.data_gpa);
    if (pvboot_handover_tlv(payload, PVBOOT_TLV_CONSOLE, &t) && t.bytes >= 16)
        SAY_NUMBER("console page at", pvboot_le64(t.value));
    return 0;
}

/* The stack is not aligned as a function expects it of its caller. */
__attribute__((force_align_arg_pointer)) void _start(void);
void _start(void)
{
    long n;

    while (used < sizeof(input) && (n = call(0, 0, input + used, sizeof(input) - used)) > 0)
        used += (uint64_t)n;
    call(60, used > PAGE ? look() : PVBOOT_HANDOVER_UNREADABLE, NULL, 0);
    for (;;)
        ;
}
