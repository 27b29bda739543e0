/* SPDX-License-Identifier: LGPL-2.1-only */
/* The first sector of a disk, for an HVM guest without an operating system.  It tells on the serial line which hypervisor it
 * is on and which PCI devices there are: both serial line and devices are those of the device model. */
    .code16
    .globl _start
_start:
    ljmp $0, $1f
1:  cld
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7c00, %sp
    mov $begin, %si
    call print

    mov $0x40000000, %eax /* Xen, arch-x86/cpuid.h */
    cpuid
    mov %ebx, signature
    mov %ecx, signature + 4
    mov %edx, signature + 8
    mov $hypervisor, %si
    call print

    xor %ebp, %ebp /* the device */
2:  mov %ebp, %eax
    shl $11, %eax
    or $0x80000000, %eax /* PCI configuration by ports: bus 0, function 0, register 0 */
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    cmp $-1, %eax
    je 3f
    mov %eax, %ebx
    mov $device, %si
    call print
    mov %bx, %ax
    call hex
    mov $':', %al
    call put
    shr $16, %ebx
    mov %bx, %ax
    call hex
    mov $newline, %si
    call print
3:  inc %bp
    cmp $32, %bp
    jb 2b

    mov $done, %si
    call print
4:  hlt
    jmp 4b

print: /* %si: zero-terminated */
    lodsb
    test %al, %al
    jz 5f
    call put
    jmp print
5:  ret

hex: /* %ax, four digits */
    mov $4, %cx
6:  rol $4, %ax
    push %ax
    and $15, %al
    add $'0', %al
    cmp $'9', %al
    jbe 7f
    add $'a' - '9' - 1, %al
7:  call put
    pop %ax
    loop 6b
    ret

put: /* %al, to COM1 when it is ready */
    push %dx
    push %ax
    mov $0x3fd, %dx
8:  in %dx, %al
    test $0x20, %al
    jz 8b
    pop %ax
    mov $0x3f8, %dx
    out %al, %dx
    pop %dx
    ret

begin:      .asciz "@@sector-begin@@\n"
hypervisor: .ascii "hypervisor "
signature:  .skip 12
newline:    .asciz "\n"
device:     .asciz "pci "
done:       .asciz "@@sector-done@@\n"
    .org 510
    .word 0xaa55
