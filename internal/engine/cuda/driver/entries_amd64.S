//go:build nvidia && linux && amd64

/* One entry per driver function: a jump through its slot, or, on the first
 * call, through the loader, with every argument register as the caller left it. */

.text
.set moncae_index, 0
#define ENTRY(name) \
	.globl name; .hidden name; .type name, @function; \
	name: \
	movq moncae_cuda_slots + 8*moncae_index(%rip), %r11; \
	testq %r11, %r11; \
	jz 1f; \
	jmp *%r11; \
	1: movl $moncae_index, %eax; \
	jmp moncae_cuda_first_call; \
	.size name, . - name; \
	.set moncae_index, moncae_index + 1;
#include "names.h"

.type moncae_cuda_first_call, @function
moncae_cuda_first_call:
	pushq %rbp
	movq %rsp, %rbp
	andq $-16, %rsp
	subq $192, %rsp
	movq %rdi, 0(%rsp)
	movq %rsi, 8(%rsp)
	movq %rdx, 16(%rsp)
	movq %rcx, 24(%rsp)
	movq %r8, 32(%rsp)
	movq %r9, 40(%rsp)
	movups %xmm0, 48(%rsp)
	movups %xmm1, 64(%rsp)
	movups %xmm2, 80(%rsp)
	movups %xmm3, 96(%rsp)
	movups %xmm4, 112(%rsp)
	movups %xmm5, 128(%rsp)
	movups %xmm6, 144(%rsp)
	movups %xmm7, 160(%rsp)
	movl %eax, %edi
	call moncae_cuda_resolve
	movq %rax, %r11
	movq 0(%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	movq 24(%rsp), %rcx
	movq 32(%rsp), %r8
	movq 40(%rsp), %r9
	movups 48(%rsp), %xmm0
	movups 64(%rsp), %xmm1
	movups 80(%rsp), %xmm2
	movups 96(%rsp), %xmm3
	movups 112(%rsp), %xmm4
	movups 128(%rsp), %xmm5
	movups 144(%rsp), %xmm6
	movups 160(%rsp), %xmm7
	leave
	jmp *%r11

.section .note.GNU-stack,"",@progbits
